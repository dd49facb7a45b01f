//! How a sweep is asked to stop.

/// How a sweep is asked to stop. Whatever is asked, it can be resumed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// Not at all.
    #[default]
    No,
    /// Nothing more is handed over, and what runs comes to its end. Jobs that wait in Slurm's queue count as running.
    Drain,
    /// Nothing more is handed over, and what was is cancelled.
    Cancel,
    /// Nothing more is waited for: jobs of this machine are killed, those of Slurm are left to it.
    Now,
}
