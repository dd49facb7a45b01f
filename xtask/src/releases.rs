//! The tests of Slurm with that of other Debian releases, in a root of each, as a user who is not root. Takes
//! minutes, and what those releases hold changes: not a gate.

use anyhow::{Result, bail, ensure};
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
/// roots do not have; root's is what mounts.
const PLAIN: &[Part] = &[
    part("sortie-slurm", &[]),
    part("sortie-script", &["batch::", "--skip=batch::texts::"]),
    part(
        "sortie-scheduler",
        &["slurm::", "--skip=::accounting", "--skip=containers::", "--skip=daemons::", FULL_DISK],
    ),
    root_part("sortie-scheduler", &["slurm::shims::a_results_dir_on_a_full_disk"]),
    part("sortie", &["slurm", "--skip=docs::"]),
];

const FULL_DISK: &str = "--skip=slurm::shims::a_results_dir_on_a_full_disk";

/// With a cluster that has accounting. Daemons are root's to stop.
const ACCOUNTING: &[Part] = &[
    part("sortie-scheduler", &["::accounting"]),
    root_part("sortie-scheduler", &["slurm::daemons::"]),
    part("sortie", &["slurm", "--skip=docs::"]),
];

/// Runs the tests on the releases asked for, all of them, and then says which failed.
pub(crate) fn test(sh: &Shell, which: Which) -> Result<()> {
    let interrupts = Interrupts::take()?;
    let programs =
        programs::build(sh, &["sortie-slurm", "sortie-script", "sortie-scheduler", "sortie"])?;
    let mut lines = Vec::new();
    for release in which.releases() {
        for flavour in [Flavour::Plain, Flavour::Accounting] {
            let cluster = Inside::up(sh, *release, flavour)?;
            let failed = on(sh, &interrupts, &cluster, flavour, &programs);
            cluster.down()?;
            let failed = failed?;
            let accounting = if flavour == Flavour::Plain { "without" } else { "with" };
            let end =
                if failed.is_empty() { "passed".into() } else { failed.join(", ") + " FAILED" };
            lines.push(format!(
                "{} of {}, {accounting} accounting: {end}",
                cluster.version,
                release.name()
            ));
        }
    }
    let all = lines.join("\n");
    ensure!(!all.contains("FAILED"), "{all}");
    println!("{all}");
    Ok(())
}

/// The packages whose tests fail there.
fn on(
    sh: &Shell,
    interrupts: &Interrupts,
    cluster: &Inside,
    flavour: Flavour,
    programs: &[Program],
) -> Result<Vec<String>> {
    let mut failed = Vec::new();
    for part in if flavour == Flavour::Plain { PLAIN } else { ACCOUNTING } {
        let Some(program) = programs.iter().find(|it| it.package == part.package) else {
            bail!("{} has no test program `it`", part.package)
        };
        let conf = cluster.conf().display().to_string();
        let command = cluster
            .command(sh, part.as_root, &program.dir)?
            .arg("SORTIE_TEST_NO_CONTAINERS=1")
            .arg(format!("SORTIE_TEST_SLURM_CONF={conf}"))
            .arg(format!("SORTIE_TEST_SLURM_ACCOUNTING_CONF={conf}"))
            .arg(format!("INSTA_WORKSPACE_ROOT={}", workspace::root().display()))
            .arg("INSTA_UPDATE=no")
            .args(["timeout", "--kill-after=60", "3600"])
            .arg(&program.path)
            .args(part.args);
        if let Err(error) = interrupts.run(command) {
            eprintln!("{error:#}");
            failed.push(part.package.to_owned());
            interrupts.check()?;
        }
    }
    Ok(failed)
}
