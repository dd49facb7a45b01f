//! The tests of Apptainer with the real one, which Debian 12 does not have: that of sid, in a root of its own, as a user
//! who is not root and without network. What sid holds changes: not a gate.

pub(crate) mod image;

use anyhow::Result;
use xshell::Shell;

use crate::{interrupt::Interrupts, programs, roots::Inside};

/// What the root has beside the smallest Debian.
const PACKAGES: &str = "apptainer,busybox-static,iproute2,procps";

/// The packages with tests of Apptainer.
const PACKAGES_OF_TESTS: [&str; 2] = ["sortie-script", "sortie-scheduler"];

/// The root with Apptainer, made if need be.
pub(crate) fn inside(sh: &Shell) -> Result<Inside> {
    Inside::new(sh, "apptainer", "sid", PACKAGES)
}

/// Builds the tests, and runs them in the root, with those that want the real one.
pub(crate) fn test(sh: &Shell) -> Result<()> {
    let interrupts = Interrupts::take()?;
    let inside = inside(sh)?;
    let programs = programs::build(sh, &PACKAGES_OF_TESTS)?;
    let archive = image::make(sh, inside.dir(), inside.root())?;
    for program in &programs {
        let command = inside
            .command(sh, &program.dir)
            .args(["SORTIE_TEST_APPTAINER=apptainer", "INSTA_UPDATE=no"])
            .arg(format!("SORTIE_TEST_APPTAINER_ARCHIVE={}", archive.display()))
            .args(["timeout", "--kill-after=60", "1800"])
            .arg(&program.path)
            .args(["apptainer::", "--include-ignored"]);
        interrupts.run(command)?;
    }
    println!("test: the tests of Apptainer passed with {}", inside.version(sh, "apptainer")?);
    Ok(())
}
