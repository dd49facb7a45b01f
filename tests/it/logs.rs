//! Logs: followed as they grow, of any bytes, of which only the end is kept in memory.

use std::fs;

use crate::{CORRECT, Stage, eventually};

#[tokio::test]
async fn logs_can_be_followed_while_the_job_runs() {
    let evaluator = format!(
        "printf 'step 1\\n\\377\\n'; echo warned >&2\n\
         while [ ! -e \"$4/go\" ]; do sleep 0.02; done; echo step 2; {CORRECT}"
    );
    let stage = Stage::new(&evaluator);
    let scheduler = stage.shell("");
    let dir = stage.path("results");
    let job = scheduler.submit(stage.path("candidate"), &dir).unwrap();
    let holds = |log: &str, bytes: &[u8]| fs::read(dir.join(log)).is_ok_and(|read| read == bytes);
    eventually("the output", || holds("job_log.out", b"step 1\n\xff\n")).await;
    eventually("the errors", || holds("job_log.err", b"warned\n")).await;
    fs::write(dir.join("go"), "").unwrap();
    assert!(scheduler.wait(job).await.unwrap().correct);
    assert!(holds("job_log.out", b"step 1\n\xff\nstep 2\n"));
    assert_eq!(scheduler.results(job).unwrap().stdout_log.text(), "step 1\n\u{fffd}\nstep 2\n");
}

#[tokio::test]
async fn of_a_long_log_the_end_is_kept() {
    let stage = Stage::new(&format!("seq 100000; {CORRECT}"));
    let scheduler = stage.shell("limits: {log_tail_bytes: 20}\n");
    let dir = stage.path("results");
    let (results, _) = scheduler.run(stage.path("candidate"), &dir).await.unwrap();
    let whole = fs::read(dir.join("job_log.out")).unwrap();
    let text = results.stdout_log.text();
    let (marker, end) = text.split_once('\n').unwrap();
    assert!(whole.ends_with(end.as_bytes()) && end.ends_with("99999\n100000\n") && end.len() <= 20);
    let omitted = whole.len() - end.len();
    assert_eq!(marker, format!("[sortie: {omitted} earlier bytes left out]"));
}
