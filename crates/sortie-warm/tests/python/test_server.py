"""Unit tests of what the server decides before it forks."""

import ast
import io
import os
import subprocess
import sys
import tempfile
import time
import types
import unittest

SRC = os.path.join(os.path.dirname(__file__), "..", "..", "src")
server = types.ModuleType("server")
for name in ("imports.py", "server.py"):
    with open(os.path.join(SRC, name), encoding="utf-8") as part:
        exec(compile(part.read(), name, "exec"), server.__dict__)


def found(source):
    """The modules found, as text: `a b.c:d`, with `...` where the search stopped short."""
    texts = []
    for item in server.imports(ast.parse(source).body):
        if item is None:
            texts.append("...")
        else:
            texts.append(":".join([item[0], ",".join(item[1])]).rstrip(":"))
    return " ".join(texts)


class Imports(unittest.TestCase):
    def test_every_form(self):
        self.assertEqual(found("import a, b.c as d\nfrom e.f import g, h as i\nfrom j import *"),
                         "a b.c e.f:g,h j:*")

    def test_relative_and_future_ones_are_none(self):
        self.assertEqual(found("from __future__ import annotations\nfrom . import a\n"
                               "from .b import c\nimport d"), "d")

    def test_only_the_top_level(self):
        self.assertEqual(found("def f():\n import a\nclass C:\n import b\nimport c"), "c")

    def test_try(self):
        self.assertEqual(found("try:\n import a\nexcept ImportError:\n import b\n"
                               "else:\n import c\nfinally:\n import d\nimport e"), "a c d e")

    def test_if(self):
        self.assertEqual(found("if x:\n import a\nelif y:\n import b\nelse:\n import c"), "a b c")
        self.assertEqual(found("import sys\nif sys.version_info >= (3,):\n import a\n"
                               "else:\n import b"), "sys a")
        self.assertEqual(found("if sys.nothing:\n import a\nimport b"), "b")

    def test_what_does_not_run_or_runs_last(self):
        self.assertEqual(found("import a\nif __name__ == '__main__':\n import b"), "a")
        self.assertEqual(found("if TYPE_CHECKING:\n import a\nif typing.TYPE_CHECKING:\n import b\n"
                               "else:\n import c"), "c")

    def test_what_may_change_an_import_ends_the_search(self):
        for statement in ["sys.path.insert(0, 'x')", "os.environ['A'] = '1'", "del x", "x += 1",
                          "f()", "x = f()", "sys.flag = 1", "for x in y:\n pass",
                          "with x:\n import b", "assert f()"]:
            self.assertEqual(found(f"import a\n{statement}\nimport c"), "a ...", statement)
        self.assertEqual(found("try:\n f()\nexcept E:\n pass\nimport a"), "...")

    def test_what_changes_nothing_does_not(self):
        for statement in ["'text'", "X = 1", "X: int = 1", "X = [a, 'b']", "pass", "x.y",
                          "ROOT = Path(__file__).resolve()", "log = logging.getLogger('x')"]:
            if statement != "x.y":
                self.assertEqual(found(f"{statement}\nimport a"), "a", statement)


class Evaluator(unittest.TestCase):
    def test_no_call_is_made_to_tell_a_branch(self):
        source = "if os._exit(1):\n import a\nimport b"
        self.assertEqual(found(source), "a b")


class Users(unittest.TestCase):
    def test_argparse(self):
        code = ("import sys, argparse\nparser = argparse.ArgumentParser()\n"
                "parser.add_argument('--x')\nparser.parse_args([])\nprint(*sys.modules)")
        found = subprocess.check_output([sys.executable, "-c", code], text=True).split()
        self.assertLessEqual(set(server.USED_BY["argparse"]), set(found))


class Files(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.file = os.path.join(self.dir.name, "file.py")
        self.write("one")

    def tearDown(self):
        self.dir.cleanup()

    def write(self, text):
        with open(self.file, "w") as file:
            file.write(text)

    def test_unchanged(self):
        self.assertIsNone(server.Sources(self.file, time.time_ns() + 10**9).changed())

    def test_changed_removed_replaced(self):
        for change in [lambda: self.write("two"), lambda: os.remove(self.file),
                       lambda: os.utime(self.file, ns=(0, 0))]:
            sources = server.Sources(self.file, time.time_ns() + 10**9)
            change()
            self.assertEqual(sources.changed(), self.file)
            self.write("one")

    def test_content_tells_where_times_do_not(self):
        sources = server.Sources(self.file, time.time_ns() + 10**9)
        self.write("two")
        times = server.stamp(self.file)
        sources.own[self.file] = (times, sources.own[self.file][1])
        self.assertEqual(sources.changed(), self.file)

    def test_what_was_changed_meanwhile_has_changed(self):
        sources = server.Sources(self.file, 0)
        self.assertEqual(sources.own[self.file], (server.NEVER_SEEN, None))
        self.assertIsNotNone(sources.changed())


class Forkable(unittest.TestCase):
    def setUp(self):
        os.closerange(3, 4096)  # what the test runner has left open

    def test_this_process_is(self):
        self.assertIsNone(server.unforkable())

    def test_open_files(self):
        with open(__file__):
            self.assertEqual(list(server.shared_files()), [])
        fillers = [os.open(os.devnull, os.O_RDWR) for _ in range(4)]
        with tempfile.NamedTemporaryFile() as file:
            self.assertEqual(list(server.shared_files()), [file.name])
        reader, writer = os.pipe()
        self.assertEqual(len(list(server.shared_files())), 2)
        for number in [reader, writer] + fillers:
            os.close(number)


class Modules(unittest.TestCase):
    def setUp(self):
        self.modules = dict(sys.modules)
        self.before = dict(sys.modules)
        del sys.modules["__main__"]  # which is cleared first

    def tearDown(self):
        sys.modules.clear()
        sys.modules.update(self.modules)

    def since(self):
        return server.imported_since(self.before)

    def test_the_last_one_is_the_first(self):
        self.assertEqual(self.since(), [])
        sys.modules["one"] = sys.modules["two"] = os
        self.assertEqual(self.since(), ["two", "one"])

    def test_whatever_was_removed_or_put_back_meanwhile(self):
        sys.modules["one"] = os
        sys.modules["io"] = sys.modules.pop("io")
        sys.modules["two"] = os
        self.assertEqual(self.since(), ["two", "one"])
        del sys.modules["ast"]
        self.assertEqual(self.since(), ["two", "one"])
        del sys.modules["two"]
        self.assertEqual(self.since(), ["one"])

    def test_the_last_one_of_before_put_back(self):
        last = next(reversed(self.before))
        for name in ("one", "two"):
            sys.modules[name] = os
            sys.modules[last] = sys.modules.pop(last)
            self.assertEqual(self.since()[0], name)
        self.assertEqual(self.since(), ["two", "one"])


class Calls(unittest.TestCase):
    def test_functions_of_the_c_library_and_of_python(self):
        self.assertEqual(server.Library("getpid").getpid(), os.getpid())
        self.assertEqual(server.Library("Py_IsInitialized").Py_IsInitialized(), 1)


class Codes(unittest.TestCase):
    def test_exit_codes(self):
        for code, expected in [(None, 0), (0, 0), (3, 3), (-1, 255), (256, 0), (True, 1)]:
            self.assertEqual(server.exit_code(code), expected)
        self.assertEqual(server.exit_code(1 << 70), 255)
        stderr, sys.stderr = sys.stderr, io.StringIO()
        try:
            self.assertEqual(server.exit_code("text"), 1)
            self.assertEqual(sys.stderr.getvalue(), "text\n")
        finally:
            sys.stderr = stderr


if __name__ == "__main__":
    unittest.main()
