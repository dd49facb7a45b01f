//! What a local job has of its machine to itself.

/// How much of this machine each job has to itself. What is not asked for is shared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// GPUs; 0 hides all of them.
    pub gpus: Option<u32>,
    /// CPUs, at least 1.
    pub cpus: Option<u32>,
}

impl Share {
    /// The variables by which a process sees some GPUs and not others: NVIDIA's, and AMD's two. Each of AMD's counts the GPUs
    /// that the next one has left.
    pub const GPU_VARIABLES: [&str; 3] =
        ["CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"];

    /// Whether there is anything that a job has to itself, or does not see.
    pub fn is_some(self) -> bool {
        self != Self::default()
    }
}
