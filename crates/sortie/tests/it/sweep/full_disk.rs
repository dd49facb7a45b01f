//! A disk that is full for a while.

use super::{SCORES, begin, results, resume, runs, stage};
use crate::stage::{Stage, ran};
use sortie::exit_status::{CORRECT, INFRASTRUCTURE};

/// A small tmpfs on `out`, unmounted when dropped.
struct Small<'a>(&'a Stage);

impl<'a> Small<'a> {
    fn mount(stage: &'a Stage) -> Self {
        std::fs::create_dir(stage.path("out")).unwrap();
        let options = ["-t", "tmpfs", "-o", "size=4m", "sortie-test", "out"];
        assert!(stage.command("mount").args(options).status().unwrap().success());
        Self(stage)
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        let _ = self.0.command("umount").args(["--lazy", "out"]).status();
    }
}

#[test]
#[ignore = "needs root: cargo xtask test"]
fn a_sweep_whose_disk_is_full_stops_and_is_resumed() {
    // One of the first to end fills the disk.
    let fills = "[ $(wc -l < runs) -lt 10 ] || ! mkdir filled 2>&- || head -c 4m /dev/zero > out/p0/filler 2>&-";
    let stage = stage(&format!("{SCORES}\n{fills}"), "", 60);
    let small = Small::mount(&stage);
    let full = ran(&mut begin(&stage));
    full.is_error_with_output(INFRASTRUCTURE, "No space left on device");
    assert!(full.stderr.contains("free some space"), "{full:?}");
    let before = runs(&stage);
    assert!(before.len() < 60, "it went on: {before:?}");

    std::fs::remove_file(stage.path("out/p0/filler")).unwrap();
    let ran = ran(&mut resume(&stage));
    assert_eq!(ran.status, Some(CORRECT.into()), "{ran:?}");
    assert!(ran.stdout.starts_with("all 60 candidates are done: 60 correct\n"), "{ran:?}");
    assert_eq!(results(&stage).len(), 60);
    drop(small);
}
