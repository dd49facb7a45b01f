//! The signals by which a user or a system asks the tool to stop.

use std::future::poll_fn;
use std::io;
use std::task::Poll;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGHUP, SIGINT and SIGTERM, numbered alike on every architecture (`signal(7)`).
const ASKING_TO_STOP: [u8; 3] = [1, 2, 15];

/// Takes the signals that would otherwise end the tool at once.
pub(crate) struct Signals(Vec<(u8, Signal)>);

impl Signals {
    /// From now on. A signal that was ignored when the tool was started stays ignored, such as SIGHUP
    /// under nohup(1).
    pub(crate) fn listen() -> io::Result<Self> {
        let ignored = ignored();
        let heeded = ASKING_TO_STOP.into_iter().filter(|number| ignored >> (number - 1) & 1 == 0);
        let listen = |number: u8| Ok((number, signal(SignalKind::from_raw(number.into()))?));
        heeded.map(listen).collect::<io::Result<_>>().map(Self)
    }

    /// The number of the next one.
    pub(crate) async fn next(&mut self) -> u8 {
        poll_fn(|context| {
            for (number, signal) in &mut self.0 {
                if signal.poll_recv(context).is_ready() {
                    return Poll::Ready(*number);
                }
            }
            Poll::Pending
        })
        .await
    }
}

/// The signals this process ignores, a bit each from 1 on (`proc_pid_status(5)`).
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
