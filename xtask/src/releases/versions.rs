//! The table of versions in the page for a site. It is made of what ran and passed, never by hand.

use std::fmt;

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::slurm::{Inside, Release};

const PAGE: &str = "docs/clusters.md";

/// What stands before the lines of the table, and after them.
const BEGIN: &str = "| Slurm | Debian | bash | coreutils | tests without accounting, with | passed on |\n\
                     | --- | --- | --- | --- | --- | --- |\n";
const END: &str = "<!-- end of what `cargo xtask test --slurm all` writes -->\n";

/// What the tests ran with.
pub(super) struct Tested {
    slurm: String,
    release: Release,
    bash: String,
    coreutils: String,
}

impl fmt::Display for Tested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { slurm, release, bash, coreutils } = self;
        let release = release.name();
        write!(f, "Slurm {slurm} of {release}, bash {bash}, coreutils {coreutils}")
    }
}

/// Asks a cluster for its versions.
pub(super) fn of(sh: &Shell, cluster: &Inside, release: Release) -> Result<Tested> {
    let ask = |args: &[&str]| -> Result<String> {
        Ok(cluster.command(sh, false, "/".as_ref())?.args(args).read()?)
    };
    let last_word = |text: &str| text.split_whitespace().last().unwrap_or_default().to_owned();
    Ok(Tested {
        slurm: last_word(&cluster.version),
        release,
        bash: ask(&["bash", "-c", r#"IFS=. && echo "${BASH_VERSINFO[*]:0:3}""#])?,
        // `stat (GNU coreutils) 9.1`
        coreutils: last_word(ask(&["stat", "--version"])?.lines().next().unwrap_or_default()),
    })
}

/// Notes today in the page that all tests passed, so many without accounting and so many with it.
pub(super) fn note(sh: &Shell, tested: &Tested, [plain, accounting]: [usize; 2]) -> Result<()> {
    let Tested { slurm, release, bash, coreutils } = tested;
    let today = cmd!(sh, "date --utc +%F").quiet().read()?;
    let release = release.name();
    let line =
        format!("| {slurm} | {release} | {bash} | {coreutils} | {plain}, {accounting} | {today} |");
    let page = sh.read_file(PAGE)?;
    let page = with(&page, &line).with_context(|| format!("{PAGE} has no table of versions"))?;
    Ok(sh.write_file(PAGE, page)?)
}

/// The page with this line in its table, in place of an earlier one of the same version of Slurm.
fn with(page: &str, line: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (lines, after) = rest.split_once(END)?;
    let version = |line: &str| line.split('|').nth(1).map(str::to_owned);
    let mut lines: Vec<_> =
        lines.lines().filter(|it| version(it) != version(line)).chain([line]).collect();
    lines.sort_unstable();
    Some(format!("{before}{BEGIN}{}\n{END}{after}", lines.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_takes_the_place_of_its_version_alone() {
        let page = |lines: &[&str]| format!("# Page\n\n{BEGIN}{}{END}\nMore.\n", lines.concat());
        let old = ["| 22.05.8 | bookworm | 2026-11-01 |\n", "| 26.05.5 | sid | 2026-11-01 |\n"];
        let trixie = "| 24.11.5 | trixie | 2026-11-30 |";
        let made = with(&page(&old), trixie).unwrap();
        assert_eq!(made, page(&[old[0], "| 24.11.5 | trixie | 2026-11-30 |\n", old[1]]));
        let sid = "| 26.05.5 | sid | 2026-11-30 |";
        let again = with(&page(&old), sid).unwrap();
        assert_eq!(again, page(&[old[0], "| 26.05.5 | sid | 2026-11-30 |\n"]));
        assert_eq!(with(&page(&[]), trixie), Some(page(&["| 24.11.5 | trixie | 2026-11-30 |\n"])));
        assert_eq!(with("# Page\n", sid), None);
    }
}
