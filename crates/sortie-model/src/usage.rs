//! What an attempt took of time and memory.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How long an attempt took, in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Seconds {
    /// From submitting it until it was started.
    pub queued: f64,
    /// From then until its last process was gone.
    pub running: f64,
    /// From submitting it until its results were there.
    pub total: f64,
}

/// What an attempt's processes used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Usage {
    /// CPU time in user mode, in seconds.
    pub cpu_user_seconds: f64,
    /// CPU time in the kernel, in seconds.
    pub cpu_system_seconds: f64,
    /// The most memory that one of them had resident, in bytes.
    pub peak_memory_bytes: u64,
}
