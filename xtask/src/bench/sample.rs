//! One measurement.

use std::time::Duration;

use super::cpu::Cpu;

/// What so many jobs took together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) jobs: usize,
    pub(crate) wall: Duration,
    /// What the launcher used for it.
    pub(crate) cpu: Cpu,
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
impl Sample {
    pub(crate) fn seconds_per_job(&self) -> f64 {
        self.wall.as_secs_f64() / self.jobs as f64
    }

    pub(crate) fn jobs_per_second(&self) -> f64 {
        self.jobs as f64 / self.wall.as_secs_f64()
    }

    /// Of the launcher and its helpers.
    pub(crate) fn cpu_per_job(&self) -> f64 {
        self.cpu.total().as_secs_f64() / self.jobs as f64
    }

    /// Of the helpers alone.
    pub(crate) fn helpers_cpu_per_job(&self) -> f64 {
        self.cpu.helpers.as_secs_f64() / self.jobs as f64
    }
}
