//! What is read of an attempt.

use serde::{Deserialize, Serialize};

/// How much is read of what an attempt left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadLimits {
    /// The most that is kept of each log, its end, in bytes.
    pub log_tail_bytes: u64,
    /// The most that `metrics.json` and `correct.json` may each hold, in bytes. In memory a value can
    /// take some 16 times as much.
    pub max_result_bytes: u64,
}

/// 1 MiB of each log, and 16 MiB of each result file.
impl Default for ReadLimits {
    fn default() -> Self {
        Self { log_tail_bytes: 1 << 20, max_result_bytes: 16 << 20 }
    }
}
