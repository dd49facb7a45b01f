//! A launcher that is killed at any moment.

use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, SystemTime};

use sortie_results::{AttemptId, Record};

use super::{SCORES, begin, results, resume, stage};
use crate::stage::{Stage, ran};

/// How often launchers are killed, together.
const KILLS: u32 = 300;
const CANDIDATES: usize = 60;

/// Numbers without pattern (Knuth's MMIX), from a start that is told.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// The attempts that have come to their end, by candidate.
fn recorded(stage: &Stage) -> BTreeMap<usize, AttemptId> {
    let of = |number| {
        let record = Record::read(&stage.path(format!("out/p{number}"))).ok()?;
        Some((number, record.attempt))
    };
    (0..CANDIDATES).filter_map(of).collect()
}

/// The lines that have an end in the ledger.
fn acknowledged(stage: &Stage) -> Vec<String> {
    let ledger = fs::read(stage.path("out/ledger.jsonl")).unwrap_or_default();
    let ends = String::from_utf8_lossy(&ledger).matches(" {\"end\":").count();
    let results = fs::read(stage.path("out/results.jsonl")).unwrap_or_default();
    // The last may be torn.
    let ends = ends.saturating_sub(1);
    String::from_utf8_lossy(&results).lines().take(ends).map(str::to_owned).collect()
}

/// Kills launchers until the sweep is done: how often.
fn until_done(stage: &Stage, random: &mut Random) -> u32 {
    let (mut attempts, mut lines) = (BTreeMap::new(), Vec::new());
    let mut kills = 0;
    loop {
        let begun = stage.path("out/ledger.jsonl").exists();
        let mut command = if begun { resume(stage) } else { begin(stage) };
        let mut tool = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_micros(random.below(90_000)));
        let over = tool.try_wait().unwrap();
        if let Some(status) = over {
            assert_eq!(status.code(), Some(0));
            break;
        }
        tool.kill().unwrap();
        tool.wait().unwrap();
        kills += 1;
        let (now, there) = (recorded(stage), acknowledged(stage));
        for (number, attempt) in attempts {
            assert_eq!(now.get(&number), Some(&attempt), "p{number} was run again");
        }
        assert!(there.starts_with(&lines) || lines.starts_with(&there), "lines have changed");
        attempts = now;
        lines = if there.len() > lines.len() { there } else { lines };
    }
    let last = recorded(stage);
    for (number, attempt) in attempts {
        assert_eq!(last.get(&number), Some(&attempt), "p{number} was run again");
    }
    kills
}

#[test]
fn a_launcher_killed_at_any_moment_is_resumed() {
    let whole = stage(SCORES, "", CANDIDATES);
    assert_eq!(ran(&mut begin(&whole)).status, Some(0));
    let whole = results(&whole);
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let seed = u64::from(since.subsec_nanos());
    eprintln!("with numbers from {seed} on");
    let (mut random, mut kills) = (Random(seed), 0);
    while kills < KILLS {
        let stage = stage(SCORES, "", CANDIDATES);
        kills += until_done(&stage, &mut random);
        assert_eq!(results(&stage), whole);
        stage.empties();
    }
}
