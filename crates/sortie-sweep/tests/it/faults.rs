//! A sweep whose launcher dies at each of its writes in turn, and is resumed.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sortie_sweep::{Disk, RealDisk, SweepDir};

use crate::stage::{SCORES, Stage};

/// How a disk fails.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// Nothing of the last call is done.
    Before,
    /// Half of it is.
    Half,
    /// All of it is, but nobody is told.
    After,
}

/// Does so many calls, one by halves, and no more.
struct Dying {
    left: AtomicUsize,
    fault: Fault,
}

impl Dying {
    fn after(calls: usize, fault: Fault) -> Arc<Self> {
        Arc::new(Self { left: calls.into(), fault })
    }

    fn call<T>(
        &self,
        half: impl FnOnce() -> io::Result<()>,
        whole: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        let dead = || Err(io::Error::other("dead"));
        let left =
            self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        match (left, self.fault) {
            (Err(_), _) | (Ok(1), Fault::Before) => dead(),
            (Ok(1), Fault::Half) => half().and(dead()),
            (Ok(1), Fault::After) => whole().and(dead()),
            (Ok(_), _) => whole(),
        }
    }
}

const NOTHING: fn() -> io::Result<()> = || Ok(());

impl Disk for Dying {
    fn create(&self, path: &Path) -> io::Result<File> {
        self.call(NOTHING, || RealDisk.create(path))
    }

    fn append(&self, file: &File, bytes: &[u8]) -> io::Result<()> {
        let half = || RealDisk.append(file, &bytes[..bytes.len() / 2]);
        self.call(half, || RealDisk.append(file, bytes))
    }

    fn truncate(&self, file: &File, len: u64) -> io::Result<()> {
        self.call(NOTHING, || RealDisk.truncate(file, len))
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.call(NOTHING, || RealDisk.sync(file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call(NOTHING, || RealDisk.rename(from, to))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.call(NOTHING, || RealDisk.create_dir(path))
    }

    fn has_room(&self, dir: &Path) -> io::Result<()> {
        RealDisk.has_room(dir)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.call(NOTHING, || RealDisk.sync_dir(path))
    }
}

const COUNT: usize = 3;

/// Runs a sweep until the disk dies; whether it does before the end.
async fn until_it_dies(stage: &Stage, disk: Arc<Dying>) -> bool {
    let open = if stage.dir().is_sweep() {
        sortie_sweep::OpenSweep::resume(stage.dir(), disk)
    } else {
        stage.create(COUNT, disk)
    };
    match open {
        Ok(open) => stage.run(open).await.is_err(),
        Err(_) => true,
    }
}

/// After a loss of power either file may be shorter than it was, or hold zeros where it was written last.
#[tokio::test]
async fn what_a_loss_of_power_takes_is_made_up_for() {
    let stage = Stage::new(SCORES);
    stage.run(stage.create(COUNT, Arc::new(RealDisk)).unwrap()).await.unwrap();
    let (whole, runs) = (stage.results(), stage.runs());
    let [ledger, results] = [stage.dir().ledger_file(), stage.dir().results_file()];
    let [ledger_bytes, result_bytes] = [&ledger, &results].map(|file| fs::read(file).unwrap());
    // What says what there is to do is on disk before anything is begun, and so is what was begun, for once.
    let text = String::from_utf8(ledger_bytes.clone()).unwrap();
    let head: usize = text.split_inclusive('\n').take(COUNT + 3).map(str::len).sum();
    for step in 0..8 {
        for zeros in [false, true] {
            for (of_ledger, of_results) in [(step, 7 - step), (step, step), (8, step), (step, 8)] {
                let cut = |bytes: &[u8], kept: usize, share: usize| {
                    let at = kept + (bytes.len() - kept) * share / 8;
                    let lost = if zeros { vec![0; bytes.len() - at] } else { Vec::new() };
                    [&bytes[..at], &lost].concat()
                };
                fs::write(&ledger, cut(&ledger_bytes, head, of_ledger)).unwrap();
                fs::write(&results, cut(&result_bytes, 0, of_results)).unwrap();
                stage.run(stage.resume()).await.unwrap();
                let context = format!("{of_ledger}/8 of the ledger, {of_results}/8 of results");
                assert_eq!(stage.results(), whole, "{context}");
            }
        }
    }
    assert_eq!(stage.runs(), runs);
}

/// The candidates that are done, with their lines.
fn done(dir: &SweepDir) -> Vec<Vec<u8>> {
    let sweep = dir.read().unwrap();
    let ends = sweep.states.iter().filter_map(sortie_sweep::State::end);
    // One whose line is damaged was never acknowledged to anybody.
    ends.filter_map(|end| dir.result(end).ok()).collect()
}

#[tokio::test]
async fn a_launcher_may_die_at_every_write() {
    let whole = Stage::new(SCORES);
    whole.run(whole.create(COUNT, Arc::new(RealDisk)).unwrap()).await.unwrap();
    let mut deaths = 0;
    for fault in [Fault::Before, Fault::Half, Fault::After] {
        for calls in 1.. {
            let stage = Stage::new(SCORES);
            if !until_it_dies(&stage, Dying::after(calls, fault)).await {
                break;
            }
            deaths += 1;
            // So may the one that mends.
            let before = if stage.dir().is_sweep() { done(&stage.dir()) } else { Vec::new() };
            until_it_dies(&stage, Dying::after(1 + calls % 5, fault)).await;
            let open = if stage.dir().is_sweep() {
                stage.resume()
            } else {
                stage.create(COUNT, Arc::new(RealDisk)).unwrap()
            };
            stage.run(open).await.unwrap();
            let context = format!("{fault:?} of call {calls}");
            let names = |stage: &Stage| {
                let results = stage.results().into_iter();
                results
                    .map(|(id, mut members)| {
                        members.shift_remove("candidate");
                        (id, members)
                    })
                    .collect::<Vec<_>>()
            };
            assert_eq!(names(&stage), names(&whole), "{context}");
            // What was acknowledged is there still, byte for byte; what was over was not run again.
            let after = done(&stage.dir());
            assert!(before.iter().all(|line| after.contains(line)), "{context}");
            assert!(stage.runs().values().all(|runs| *runs == 1), "{context}: {:?}", stage.runs());
        }
    }
    assert!(deaths > 30, "{deaths}");
}

/// As [`SCORES`], but one candidate fails until a file is there.
fn mended_later() -> Stage {
    Stage::new(&format!(
        "read -r number < \"$2\"; [ \"$number\" != 1 ] || [ -e mended ] || exit 3\n{SCORES}"
    ))
}

/// Has the candidates run again that failed, on that disk; whether it dies before the end.
async fn again_until_it_dies(stage: &Stage, disk: Arc<dyn Disk>) -> bool {
    let open = sortie_sweep::OpenSweep::resume(stage.dir(), disk);
    let again = open.and_then(|mut open| {
        open.again(|end| end.fault == Some(sortie_results::Fault::Candidate))?;
        Ok(open)
    });
    match again {
        Ok(open) => stage.run(open).await.is_err(),
        Err(_) => true,
    }
}

#[tokio::test]
async fn a_launcher_may_die_at_every_write_while_it_has_candidates_run_again() {
    let mut deaths = 0;
    for fault in [Fault::Before, Fault::Half, Fault::After] {
        for calls in 1.. {
            let stage = mended_later();
            stage.run(stage.create(COUNT, Arc::new(RealDisk)).unwrap()).await.unwrap();
            let before = done(&stage.dir());
            fs::write(stage.path("mended"), "").unwrap();
            fs::write(stage.path("c2.py"), "2\n").unwrap();
            if !again_until_it_dies(&stage, Dying::after(calls, fault)).await {
                break;
            }
            deaths += 1;
            let context = format!("{fault:?} of call {calls}");
            // Those that are looked at in between have their lines still, in one file or the other.
            let sweep = stage.dir().read().unwrap();
            let end = sweep.states[0].end().unwrap();
            assert!(before.contains(&stage.dir().result(end).unwrap()), "{context}");
            again_until_it_dies(&stage, Dying::after(1 + calls % 7, fault)).await;
            assert!(!again_until_it_dies(&stage, Arc::new(RealDisk)).await, "{context}");
            let results = stage.results();
            assert!(
                results.values().all(|line| line["correct"].as_bool() == Some(true)),
                "{context}"
            );
            assert_eq!(results.len(), COUNT, "{context}");
            assert!(stage.runs().values().all(|runs| *runs == 1), "{context}: {:?}", stage.runs());
            // What was right is there still, byte for byte; of the others the first attempt was put away.
            let after = done(&stage.dir());
            assert_eq!(before.iter().filter(|line| after.contains(line)).count(), 1, "{context}");
            let previous = |id| fs::read_dir(stage.dir().results_dir(id).join("previous"));
            assert_eq!(previous("c1").unwrap().count(), 1, "{context}");
            assert!(previous("c0").is_err() && !stage.path("out/results.jsonl.new").exists());
        }
    }
    assert!(deaths > 30, "{deaths}");
}
