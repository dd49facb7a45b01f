//! Every command in the documentation is run, or where that would install or change something, read by its own parser.
//!
//! A block of `yaml` with a `job_type` is the `job.yaml` of the blocks of `sh` after it, which are run where there are an
//! evaluator and candidates (`gen_0/main.py` and so on), with what the job type needs: Slurm, Docker. What the test's Slurm and
//! Docker have not (accounts, images) is set over the file by variables. A block of `sh no-run` is only read.
//! Commands within a line are read as well, and may stop short of their arguments.

mod blocks;
mod libraries;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use blocks::Code;

use crate::stage::{Stage, ran};

/// Where the repository is, only its reader knows.
const CLONE: &str = "git clone URL-of-this-repository sortie";

const EVALUATOR: &str = r#"
import json, os, pathlib, sys, time
if os.path.exists("slow"): time.sleep(5)
results = pathlib.Path(sys.argv[sys.argv.index("--results_dir") + 1])
(results / "metrics.json").write_text(json.dumps({"combined_score": 1.5}))
(results / "correct.json").write_text(json.dumps({"correct": True}))
print("judged")
"#;

/// Leaves a job of Slurm whose launcher was killed.
const ORPHAN: &str = r#"
touch slow
sortie run --config job.yaml gen_0/main.py gen_0/results > /dev/null 2>&1 &
until squeue -h -o %Z | grep -qxF "$PWD"; do sleep 0.1; done
kill -KILL $!
"#;

/// What the test's Slurm has not.
const FOR_SLURM: [(&str, &str); 13] = [
    ("SORTIE_PARTITION", "gpu"),
    ("SORTIE_TIME", "5"),
    ("SORTIE_CPUS", "1"),
    ("SORTIE_GPUS", "0"),
    ("SORTIE_MEM", "100M"),
    ("SORTIE_ACCOUNT", "null"),
    ("SORTIE_QOS", "null"),
    ("SORTIE_CONSTRAINT", "null"),
    ("SORTIE_NODELIST", "null"),
    ("SORTIE_RESERVATION", "null"),
    ("SORTIE_MODULES", "[]"),
    ("SORTIE_CONDA_ENV", "null"),
    ("SORTIE_ACTIVATE_SCRIPT", "env.sh"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The pages: those at the top, those under `docs`, and the README of each crate.
fn pages() -> Vec<(String, Vec<Code>)> {
    let root = root();
    let in_dir = |dir: &Path| {
        fs::read_dir(dir)
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path())
            .collect::<Vec<_>>()
    };
    let of_crates = in_dir(&root.join("crates")).into_iter().map(|dir| dir.join("README.md"));
    let mut paths = [in_dir(&root), in_dir(&root.join("docs")), of_crates.collect()].concat();
    paths.retain(|path| path.extension().is_some_and(|end| end == "md"));
    paths.sort();
    let page = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        (path.strip_prefix(&root).unwrap().display().to_string(), blocks::of_page(&text))
    };
    let pages: Vec<_> = paths.into_iter().map(page).collect();
    for expected in ["README.md", "crates/sortie/README.md"] {
        assert!(pages.iter().any(|(name, _)| name == expected), "{expected} is missing");
    }
    pages
}

/// Where blocks are run: the settings they are for, and what has to be there for these.
struct Place {
    stage: Stage,
    job_type: String,
}

impl Place {
    fn new(settings: &str) -> Self {
        let stage = Stage::empty();
        stage.write("job.yaml", settings);
        stage.write("evaluate.py", EVALUATOR);
        stage.write("env.sh", format!("PATH={}:$PATH\n", stage.path("envs/my-env/bin").display()));
        for generation in 0..3 {
            stage.write(format!("gen_{generation}/main.py"), "");
        }
        stage.write("envs/my-env/conda-meta/history", "");
        stage.write("envs/my-env/bin/python", "#!/bin/sh\nexec python3 \"$@\"\n");
        let python = stage.path("envs/my-env/bin/python");
        fs::set_permissions(python, fs::Permissions::from_mode(0o755)).unwrap();
        copy_examples(&stage, &root());
        fs::create_dir(stage.path("bin")).unwrap();
        symlink(env!("CARGO_BIN_EXE_sortie"), stage.path("bin/sortie")).unwrap();
        let job_type = settings.lines().find_map(|line| line.strip_prefix("job_type:"));
        let job_type = job_type.unwrap_or("local").split('#').next().unwrap().trim().to_owned();
        Self { stage, job_type }
    }

    /// A script for bash, with the tool on PATH.
    fn bash(&self, script: &str) -> Command {
        let mut command = self.stage.command("timeout");
        command.args(["300", "bash", "-euo", "pipefail", "-c", script]);
        let path = std::env::var("PATH").unwrap();
        command.env("PATH", format!("{}:{path}", self.stage.path("bin").display()));
        command.env("CONDA_ENVS_PATH", self.stage.path("envs")).env("HOME", self.stage.dir());
        if self.job_type.starts_with("slurm") {
            command.env("SLURM_CONF", variable("SORTIE_TEST_SLURM_CONF")).envs(FOR_SLURM);
        }
        if self.job_type.ends_with("docker") {
            command.env("DOCKER_HOST", variable("SORTIE_TEST_DOCKER_HOST"));
            command.env("SORTIE_IMAGE", variable("SORTIE_TEST_PYTHON_IMAGE"));
            command.env("SORTIE_IMAGE_TAR_PATH", "null").env("SORTIE_DOCKER_FLAGS", "''");
        }
        command
    }

    fn run(&self, at: &str, script: &str) {
        let starts = ["run", "submit", "sweep"].map(|verb| format!("sortie {verb} "));
        let is_there = self.stage.path("gen_0/results").exists();
        let before = if script.contains("sortie attach ") {
            ORPHAN
        } else if is_there
            || !script.contains("gen_0/results")
            || starts.iter().any(|start| script.contains(start))
        {
            ":"
        } else {
            "sortie run --config job.yaml gen_0/main.py gen_0/results"
        };
        let prepared = ran(&mut self.bash(before));
        assert_eq!(prepared.status, Some(0), "before {at}: {prepared:?}");
        let ran = ran(&mut self.bash(script));
        assert_eq!(ran.status, Some(0), "{at}: {ran:?}\n{script}");
    }
}

/// Copies the examples, without what a reader of the page has left there (see `.gitignore`).
fn copy_examples(stage: &Stage, from: &Path) {
    let copied = ran(stage.command("cp").arg("-r").arg(from.join("examples")).arg("."));
    assert_eq!(copied.status, Some(0), "{copied:?}");
    for example in fs::read_dir(stage.path("examples")).unwrap() {
        let _ = fs::remove_dir_all(example.unwrap().path().join("results"));
    }
}

#[test]
fn the_page_can_be_followed_before_the_tests_are_run() {
    let (clone, stage) = (Stage::empty(), Stage::empty());
    clone.write("examples/a/results/ledger.jsonl", "");
    clone.write("examples/a/job.yaml", "");
    copy_examples(&stage, clone.dir());
    assert!(
        stage.path("examples/a/job.yaml").exists() && !stage.path("examples/a/results").exists()
    );
    let ignored = fs::read_to_string(root().join(".gitignore")).unwrap();
    assert!(ignored.lines().any(|line| line == "/examples/*/results/"), "{ignored}");
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} has to be set: use `cargo xtask test`"))
}

/// Runs the blocks for the job types that are wanted: how many these were.
fn run(wanted: fn(&str) -> bool) -> usize {
    let mut count = 0;
    for (page, codes) in pages() {
        let mut place = Place::new("job_type: local\n");
        for code in codes {
            if code.is("yaml") && code.text.contains("job_type:") {
                place = Place::new(&code.text);
            }
            let (_, script) = code.cargo_apart();
            let script = script.replace(CLONE, "").replace("cd sortie", "");
            if code.is("sh")
                && !code.is("no-run")
                && wanted(&place.job_type)
                && !script.trim().is_empty()
            {
                place.run(&format!("{page}:{}", code.line), &script);
                count += 1;
            }
        }
    }
    count
}

#[test]
fn local_blocks_run() {
    assert!(run(|job_type| job_type == "local") > 0);
}

#[test]
#[ignore = "needs Slurm and Docker: cargo xtask test"]
fn blocks_of_slurm_and_docker_run() {
    assert!(run(|job_type| job_type != "local") > 0);
}

/// What a command's own parser says of it, which `--help` at its end keeps from being done.
fn read(at: &str, command: &str) {
    let command = command.split(" #").next().unwrap().trim();
    let place = Place::new("");
    if command == CLONE {
        return;
    }
    let read = match command.split_whitespace().collect::<Vec<_>>()[..] {
        ["cargo", "xtask", ..] => {
            // What stands after `--` is for another program.
            let args = command.split(" -- ").next().unwrap_or_default();
            let args = args.trim_start_matches("cargo xtask");
            let mut cargo =
                place.bash(&format!("{} run -q -p xtask -- {args} --help", env!("CARGO")));
            let home = std::env::var("HOME").unwrap();
            ran(cargo.current_dir(root()).env("HOME", home))
        }
        ["cargo", "package" | "publish", ..] => {
            let mut cargo =
                place.bash(&format!("{} -h", command.replacen("cargo", env!("CARGO"), 1)));
            ran(cargo.env("HOME", std::env::var("HOME").unwrap()))
        }
        ["cargo", "install", "--locked", "--path", path] => {
            assert!(root().join(path).join("src/main.rs").exists(), "{at}: {path} is no program");
            return;
        }
        ["cargo", "install", "--locked", name] => {
            let program = root().join("crates").join(name).join("src/main.rs");
            assert!(program.exists(), "{at}: {name} is no program");
            return;
        }
        ["cargo", "doc", "-p", package] => {
            assert!(root().join("crates").join(package).exists(), "{at}: no crate {package}");
            return;
        }
        ["sortie", ..] => ran(&mut place.bash(&format!("{command} --help"))),
        _ => panic!("{at}: this test does not know how to read `{command}`"),
    };
    assert_eq!(read.status, Some(0), "{at}: {command}\n{read:?}");
}

#[test]
fn all_commands_are_understood() {
    let mut count = 0;
    for (page, codes) in pages() {
        for code in codes {
            let at = format!("{page}:{}", code.line);
            let mut commands: Vec<String> = Vec::new();
            if code.is("sh") {
                let (cargo, others) = code.cargo_apart();
                commands.extend(cargo.into_iter().map(str::to_owned));
                let only_read = code.is("no-run");
                let ours = others.lines().filter(|line| only_read && line.starts_with("sortie "));
                commands.extend(ours.map(str::to_owned));
            } else if code.info.is_empty() && !code.text.contains('…') {
                let ours = ["sortie ", "cargo xtask "];
                commands.extend(
                    ours.iter().any(|start| code.text.starts_with(start)).then_some(code.text),
                );
            }
            count += commands.len();
            for command in &commands {
                read(&at, command);
            }
        }
    }
    assert!(count > 5, "{count}");
}

#[test]
fn a_wrong_flag_is_seen() {
    let place = Place::new("job_type: local\n");
    for wrong in ["sortie run --confg job.yaml --help", "sortie walk --help"] {
        assert_eq!(ran(&mut place.bash(wrong)).status, Some(2), "{wrong}");
    }
    let page = "a `sortie run` b\n```sh no-run\nsortie x\ncargo y\n```\n";
    let codes = blocks::of_page(page);
    assert_eq!((codes.len(), codes[0].text.as_str(), codes[1].line), (2, "sortie run", 2));
    assert!(codes[1].is("sh") && codes[1].is("no-run"));
    assert_eq!(codes[1].cargo_apart(), (vec!["cargo y"], "sortie x".to_owned()));
}
