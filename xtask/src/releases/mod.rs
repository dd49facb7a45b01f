//! The tests of Slurm with that of other Debian releases, in a root of each, as a user who is not root. Takes long, and
//! what those releases hold changes: not a gate. What passed is noted in the page for a site (see [`versions`]).

mod versions;

use std::{
    fs::{self, File},
    path::PathBuf,
};

use anyhow::{Context, Result, bail, ensure};
use xshell::Shell;

use crate::{
    interrupt::Interrupts,
    programs::{self, Program},
    slurm::{Flavour, Inside, Release},
    workspace,
};

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Which {
    Bookworm,
    Trixie,
    Sid,
    All,
}

impl Which {
    fn releases(self) -> &'static [Release] {
        match self {
            Self::Bookworm => &[Release::Bookworm],
            Self::Trixie => &[Release::Trixie],
            Self::Sid => &[Release::Sid],
            Self::All => &[Release::Bookworm, Release::Trixie, Release::Sid],
        }
    }
}

/// Some tests of a package, which one call of its test program runs.
struct Part {
    package: &'static str,
    /// Names, parts of names, and options of the test program's.
    args: &'static [&'static str],
    as_root: bool,
}

const fn part(package: &'static str, args: &'static [&'static str]) -> Part {
    Part { package, args, as_root: false }
}

const fn root_part(package: &'static str, args: &'static [&'static str]) -> Part {
    Part { package, args, as_root: true }
}

/// With a cluster without accounting. Left out is what needs an engine of containers or shellcheck, which the
/// roots do not have; root's is what mounts, or becomes another user.
const PLAIN: &[Part] = &[
    part("sortie-slurm", &[]),
    part(
        "sortie-script",
        &["batch::", "--skip=batch::texts::", "--skip=an_evaluator_that_becomes_another_user"],
    ),
    root_part("sortie-script", &["batch::ends::an_evaluator_that_becomes_another_user"]),
    part(
        "sortie-scheduler",
        &[
            "slurm::",
            "--skip=::accounting",
            "--skip=containers::",
            "--skip=daemons::",
            "--skip=slurm::shims::a_results_dir_on_a_full_disk",
        ],
    ),
    root_part("sortie-scheduler", &["slurm::shims::a_results_dir_on_a_full_disk"]),
    part(
        "sortie",
        &[
            "slurm",
            "--skip=docs::",
            "--skip=limits_of_an_account",
            "--skip=what_an_image_has_is_said",
        ],
    ),
];

/// With a cluster that has accounting. Daemons are root's to stop.
const ACCOUNTING: &[Part] = &[
    part("sortie-scheduler", &["::accounting"]),
    root_part("sortie-scheduler", &["slurm::daemons::"]),
    part("sortie", &["slurm", "--skip=docs::", "--skip=what_an_image_has_is_said"]),
];

/// Runs the tests on the releases asked for, all of them, and then says which failed.
pub(crate) fn test(sh: &Shell, which: Which) -> Result<()> {
    let interrupts = Interrupts::take()?;
    let programs =
        programs::build(sh, &["sortie-slurm", "sortie-script", "sortie-scheduler", "sortie"])?;
    let programs = Programs { all: programs, judge: programs::judge(sh)? };
    let (mut lines, mut failed) = (Vec::new(), false);
    for release in which.releases() {
        let mut passed = Vec::new();
        for flavour in [Flavour::Plain, Flavour::Accounting] {
            let cluster = Inside::up(sh, *release, flavour)?;
            let ends = on(sh, &interrupts, &cluster, flavour, &programs);
            let tested = versions::of(sh, &cluster, *release);
            cluster.down()?;
            let (ends, tested) = (ends?, tested?);
            let accounting = if flavour == Flavour::Plain { "without" } else { "with" };
            let parts = ends.parts.join(", ");
            lines.push(format!("{tested}, {accounting} accounting: {parts}"));
            passed.push((tested, ends.passed));
        }
        match passed.as_slice() {
            [(tested, Some(plain)), (_, Some(accounting))] => {
                versions::note(sh, tested, [*plain, *accounting])?;
            }
            _ => failed = true,
        }
    }
    println!("{}", lines.join("\n"));
    ensure!(!failed, "some tests of Slurm failed, see above");
    Ok(())
}

/// What was built here for the tests there.
struct Programs {
    all: Vec<Program>,
    judge: PathBuf,
}

/// How the tests of a cluster ended.
struct Ends {
    /// In words, each part.
    parts: Vec<String>,
    /// How many passed, if all did.
    passed: Option<usize>,
}

fn on(
    sh: &Shell,
    interrupts: &Interrupts,
    cluster: &Inside,
    flavour: Flavour,
    programs: &Programs,
) -> Result<Ends> {
    let mut ends = Ends { parts: Vec::new(), passed: Some(0) };
    for part in if flavour == Flavour::Plain { PLAIN } else { ACCOUNTING } {
        let said = run(sh, interrupts, cluster, part, programs)?;
        let passed = counted(&said);
        let who = if part.as_root { " (root)" } else { "" };
        ends.parts.push(match passed {
            Some(passed) => format!("{}{who}: {passed} passed", part.package),
            None => format!("{}{who}: FAILED", part.package),
        });
        ends.passed = ends.passed.zip(passed).map(|(all, passed)| all + passed);
    }
    Ok(ends)
}

/// Runs some tests to their end; what they print, which is shown once they are over.
fn run(
    sh: &Shell,
    interrupts: &Interrupts,
    cluster: &Inside,
    part: &Part,
    programs: &Programs,
) -> Result<String> {
    let Some(program) = programs.all.iter().find(|it| it.package == part.package) else {
        bail!("{} has no test program `it`", part.package)
    };
    let conf = cluster.conf().display().to_string();
    let command = cluster
        .command(sh, part.as_root, &program.dir)?
        .arg("SORTIE_TEST_NO_CONTAINERS=1")
        .arg(format!("SORTIE_TEST_JUDGE={}", programs.judge.display()))
        .arg(format!("SORTIE_TEST_SLURM_CONF={conf}"))
        .arg(format!("SORTIE_TEST_SLURM_ACCOUNTING_CONF={conf}"))
        .arg(format!("INSTA_WORKSPACE_ROOT={}", workspace::root().display()))
        .arg("INSTA_UPDATE=no")
        .args(["timeout", "--kill-after=60", "3600"])
        .arg(&program.path)
        .args(part.args)
        .arg("--include-ignored");
    let log = workspace::target("slurm-tests.log");
    let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let ended = interrupts.start(command, Some(output))?.end();
    let said = fs::read(&log).with_context(|| format!("cannot read {}", log.display()))?;
    let said = String::from_utf8_lossy(&said).into_owned();
    print!("{said}");
    interrupts.check()?;
    if let Err(error) = ended {
        eprintln!("{error:#}");
    }
    Ok(said)
}

/// How many tests passed, of a test program that says that all of them did; none where there was none to run.
fn counted(said: &str) -> Option<usize> {
    let end = said.lines().rev().find_map(|line| line.strip_prefix("test result: ok. "))?;
    let passed = end.split_once(" passed")?.0.parse().ok()?;
    (passed > 0).then_some(passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_passed_counts() {
        let end = |word: &str, passed: u32| {
            format!(
                "test a ... ok\n\ntest result: {word}. {passed} passed; 0 failed; 0 ignored\n\n"
            )
        };
        assert_eq!(counted(&end("ok", 17)), Some(17));
        assert_eq!(counted(&end("ok", 0)), None, "a filter that no test matches");
        assert_eq!(counted(&end("FAILED", 16)), None);
        assert_eq!(counted("test a ... ok\n"), None, "killed");
    }
}
