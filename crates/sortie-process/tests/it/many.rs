//! Many commands at once, and many after each other.

use sortie_process::Status;

use crate::{Stage, helpers_killed, marked};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_at_once_get_their_own_answers() {
    let stage = Stage::new();
    let mut running = Vec::new();
    for n in 0..200 {
        let command = stage.sh(&format!("sleep 0.{}; exit {n}", n % 7));
        running.push((n, stage.start(&command).await));
    }
    for (n, mut process) in running.into_iter().rev() {
        assert_eq!(process.wait().await.unwrap().status, Status::Exited(n));
    }
    assert_eq!(marked(&stage.mark()), [] as [i32; 0]);
}

#[tokio::test]
async fn one_after_the_other_needs_one_reaper() {
    let stage = Stage::new();
    for _ in 0..100 {
        stage.run(&stage.sh("exit 0")).await;
    }
    let spawn_server = helpers_killed::spawn_server_of(&stage).await;
    let reapers = crate::processes().filter(|pid| crate::parent(*pid) == Some(spawn_server));
    assert_eq!(reapers.count(), 1);
}
