"""Evaluators whose imports are tried: each in an interpreter of its own, as `sortie check` does."""

import os
import subprocess
import sys
import tempfile
import unittest
import zipfile

SRC = os.path.join(os.path.dirname(__file__), "..", "..", "src")


def text_of(*names):
    parts = []
    for name in names:
        with open(os.path.join(SRC, name), encoding="utf-8") as part:
            parts.append(part.read())
    return "".join(parts)


CHECK = text_of("imports.py", "check.py")


class Checked(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.dir = place.name

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def run_on(self, evaluator):
        command = [sys.executable, "-c", CHECK, "--check", evaluator]
        ran = subprocess.run(command, cwd=self.dir, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        lines = ran.stdout.decode().splitlines()
        return lines[-1] if lines else ran.stderr.decode()

    def check(self, text):
        self.write("evaluate.py", text)
        return self.run_on("evaluate.py")

    def is_fine(self, text):
        said = self.check(text)
        self.assertTrue(said.startswith("fine "), f"{text}: {said}")

    def test_nothing_else_is_run_or_written(self):
        self.write("helper.py", "print('loud')")
        self.is_fine("import json, helper\nopen('made', 'w')\ndef main():\n import no_such\n"
                     "if __name__ == '__main__':\n open('made', 'w'); main()\n")
        self.assertEqual(sorted(os.listdir(self.dir)), ["evaluate.py", "helper.py"])

    def test_what_is_missing_is_told_with_its_line(self):
        for text, said in [
            ("import json\nimport nump\n", "missing line 2 of {}: `import nump` fails: "
             "ModuleNotFoundError: No module named 'nump'"),
            ("from json import nothing", "`from json import nothing` fails: ImportError: cannot"),
            ("from . import beside", "ImportError: attempted relative import"),
            ("if True:\n import nump", "missing line 2"),
            ("if __name__ == '__main__':\n import nump", "missing line 2"),
            ("with open('x') as f:\n import nump", "missing line 2"),
            ("try:\n import nump\nexcept OSError: pass", "missing line 2"),
            ("try:\n import nump\nexcept ImportError:\n raise SystemExit(1)", "missing line 2"),
            ("import sys\ntry:\n import nump\nexcept ImportError:\n sys.exit('no')", "missing line 3"),
            ("try:\n import nump\nexcept ImportError:\n import numpi", "missing line 4"),
            ("import sys, os\nsys.path.insert(0, os.path.dirname(__file__))\nimport nump", "missing line 3"),
            ("import random\nrandom.seed(0)\nimport nump", "missing line 3"),
        ]:
            found = self.check(text)
            self.assertIn(said.format(os.path.join(self.dir, "evaluate.py")), found, text)

    def test_what_does_no_harm_is_fine(self):
        for text in [
            "",
            "from __future__ import annotations\nimport json",
            "try:\n import nump\nexcept ImportError:\n nump = None",
            "try:\n import nump\nexcept (ImportError, OSError):\n import json",
            "try:\n import nump\nexcept Exception: pass",
            "try:\n import nump\nexcept:\n pass",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n import nump",
            "import typing as t\nif t.TYPE_CHECKING:\n import nump",
            "import sys\nif sys.version_info < (3,):\n import nump",
            "import contextlib\nwith contextlib.suppress(ImportError):\n import nump",
            "def f():\n import nump",
            "import json\nif json.loads('false'):\n import nump",
            "if __name__ != '__main__':\n import nump",
        ]:
            self.is_fine(text)

    def test_modules_are_found_where_a_job_finds_them(self):
        self.write("lib/beside.py", "")
        self.write("elsewhere/evaluate.py", "import own\n")
        self.write("elsewhere/own.py", "")
        self.assertEqual(self.run_on("elsewhere/evaluate.py"), "fine 1")
        os.symlink("elsewhere/evaluate.py", os.path.join(self.dir, "link.py"))
        self.assertEqual(self.run_on("link.py"), "fine 1")
        for text in [
            "import os, sys\nsys.path.insert(0, os.path.join(os.path.dirname(__file__), 'lib'))\n",
            "import sys\nfrom pathlib import Path\nHERE = Path(__file__).resolve().parent\n"
            "if str(HERE / 'lib') not in sys.path:\n sys.path.append(str(HERE / 'lib'))\n",
            "import sys, os\nsys.path += [os.path.abspath('lib')]\n",
            "import sys\nfor place in ('lib', 'other'):\n sys.path.append(place)\n",
        ]:
            self.is_fine(text + "import beside\n")
        said = self.check("import sys\ndef find():\n sys.path.append('lib')\nfind()\nimport beside\n")
        self.assertTrue(said.startswith("partly line 5"), said)
        self.assertIn("line 4 before it", said)

    def test_what_cannot_be_parsed_is_told_with_its_line(self):
        self.write("helper.py", "\n\nx = (\n")
        for text, said in [
            ("import json\ndef f(:\n", "syntax SyntaxError: "),
            ("import json\ndef f(:\n", "(line 2 of "),
            ("return 1", "syntax SyntaxError: 'return' outside function (line 1"),
            ("import helper", "syntax line 1 of "),
            ("import helper", "helper.py)"),
            ("x = '\0'", "syntax "),
        ]:
            self.assertIn(said, self.check(text), text)

    def test_what_an_import_raises_is_told(self):
        self.write("helper.py", "import json\nraise RuntimeError('no GPU')\n")
        said = self.check("import helper")
        self.assertIn("raises line 1 of ", said)
        self.assertIn("`import helper` fails: RuntimeError: no GPU (line 2 of ", said)
        self.write("helper.py", "raise SystemExit(3)")
        self.assertIn("fails: SystemExit: 3", self.check("import helper"))
        # It may be what the variable is set for.
        self.assertIn("partly", self.check("import json\njson.loads('1')\nimport helper"))

    def test_directories_and_zipapps(self):
        self.write("app/__main__.py", "import own\n")
        self.assertIn("No module named 'own'", self.run_on("app"))
        self.write("app/own.py", "")
        self.assertEqual(self.run_on("app"), "fine 1")
        with open(os.path.join(self.dir, "app.pyz"), "wb") as file:
            file.write(b"#!/usr/bin/env python3\n")
            with zipfile.ZipFile(file, "w") as archive:
                archive.writestr("__main__.py", "import json, own\n")
                archive.writestr("own.py", "")
        self.assertEqual(self.run_on("app.pyz"), "fine 1")


class Shells(unittest.TestCase):
    def test_a_shell_runs_nothing_of_it(self):
        with tempfile.TemporaryDirectory() as place:
            made = os.path.join(place, "made")
            with open(os.path.join(place, "import"), "w") as file:
                file.write(f"#!/bin/sh\ntouch {made}\n")
            os.chmod(file.name, 0o755)
            environment = dict(os.environ, PATH=place + ":" + os.environ["PATH"])
            for names in (("imports.py", "server.py"), ("imports.py", "check.py"),
                          ("imports.py", "which.py")):
                for shell in ("sh", "bash"):
                    command = [shell, "-c", text_of(*names), "--check", "evaluate.sh"]
                    ran = subprocess.run(command, env=environment, stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE, cwd=place)
                    self.assertEqual(ran.stdout.split()[:1], [b"refuse"], ran)
                    self.assertEqual(ran.stderr, b"", ran)
            self.assertFalse(os.path.exists(made))


if __name__ == "__main__":
    unittest.main()
