//! Which variables tell where a process is, and so are wrong in another place.
//!
//! | variables | belong to | source |
//! | --- | --- | --- |
//! | `SLURM*`, `SBATCH_*`, `SALLOC_*`, `SRUN_*` | an enclosing job, or the command that submits | sbatch(1), srun(1) |
//! | `CUDA_VISIBLE_DEVICES`, `CUDA_MPS_*`, `ROCR_VISIBLE_DEVICES`, `GPU_DEVICE_ORDINAL`, `ZE_AFFINITY_MASK` | a job's devices | gres.conf(5), Slurm's "Generic Resource Scheduling" |
//! | `PMI_*`, `PMIX_*`, `OMPI_*`, `PRTE_*`, `HYDRA_*`, `I_MPI_*`, `MPI_LOCALRANKID`, `MPI_LOCALNRANKS` | a step of MPI; from 24.11 on Slurm sets some for a job | mpirun(1), prterun(1), Intel MPI, Slurm's `src/common/env.c` |
//! | `PBS_*`, `LSB_*`, `SGE_*`, `FLUX_*`, `PALS_*`, `JOB_ID`, `JOB_SCRIPT`, `PE_HOSTFILE` | a job of another scheduler | qsub(1), bsub(1), flux-run(1), mpiexec(1) of PALS |
//! | `TMPDIR`, `TMP`, `TEMP`, `TEMPDIR` | a machine's disk, often one job's directory on it | POSIX, Slurm's `job_container/tmpfs` |
//! | `KRB5CCNAME`, unless it is a file outside of `/tmp`, `/var/tmp`, `/run` and `/dev/shm` | a machine | kerberos(7), krb5.conf(5) |
//! | `XDG_RUNTIME_DIR`, `XDG_SESSION_*`, `XDG_SEAT*`, `XDG_VTNR`, `DBUS_SESSION_BUS_ADDRESS` | a login | pam_systemd(8) |
//! | `DISPLAY`, `WAYLAND_DISPLAY`, `WAYLAND_SOCKET`, `XAUTHORITY`, `WINDOWID`, `SSH_*`, `GPG_AGENT_INFO`, `TMUX*`, `STY` | a login or a window | X(7), ssh(1), tmux(1), screen(1) |
//! | `INVOCATION_ID`, `JOURNAL_STREAM`, `NOTIFY_SOCKET`, `LISTEN_*`, `MANAGERPID`, `SYSTEMD_EXEC_PID` | a service | systemd.exec(5) |
//! | `HOSTNAME`, `HOST`, `PWD`, `OLDPWD`, `SHLVL`, `_` | a shell | bash(1), tcsh(1) |
//! | `SORTIE_ATTEMPT` | an attempt | this project |

use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

use sortie_model::names;

/// What names of such variables begin with …
const PREFIXES: [&str; 22] = [
    "SLURM",
    "SBATCH_",
    "SALLOC_",
    "SRUN_",
    "CUDA_MPS_",
    "PMI_",
    "PMIX_",
    "OMPI_",
    "PRTE_",
    "HYDRA_",
    "I_MPI_",
    "PBS_",
    "LSB_",
    "SGE_",
    "FLUX_",
    "PALS_",
    "XDG_SESSION_",
    "XDG_SEAT",
    "SSH_",
    "TMUX",
    "LISTEN_",
    "WAYLAND_",
];

/// … and names of others.
const NAMES: [&str; 33] = [
    "CUDA_VISIBLE_DEVICES",
    "ROCR_VISIBLE_DEVICES",
    "GPU_DEVICE_ORDINAL",
    "ZE_AFFINITY_MASK",
    "MPI_LOCALRANKID",
    "MPI_LOCALNRANKS",
    "JOB_ID",
    "JOB_SCRIPT",
    "PE_HOSTFILE",
    "TMPDIR",
    "TMP",
    "TEMP",
    "TEMPDIR",
    "XDG_RUNTIME_DIR",
    "XDG_VTNR",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "XAUTHORITY",
    "WINDOWID",
    "GPG_AGENT_INFO",
    "STY",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "NOTIFY_SOCKET",
    "MANAGERPID",
    "SYSTEMD_EXEC_PID",
    "HOSTNAME",
    "HOST",
    "PWD",
    "OLDPWD",
    "SHLVL",
    "_",
    names::ATTEMPT,
];

/// Whether a variable of the launcher's tells where its process is: in which job, step, login, service, shell or machine.
/// It is not passed on to a job of Slurm, which has its own or none, unless the user sets it.
pub fn is_of_the_launcher(name: &OsStr, value: &OsStr) -> bool {
    if name == "KRB5CCNAME" {
        return is_cache_of_a_machine(value.as_bytes());
    }
    let name = name.as_bytes();
    PREFIXES.iter().any(|prefix| name.starts_with(prefix.as_bytes()))
        || NAMES.iter().any(|known| known.as_bytes() == name)
}

/// Whether credentials kept there are on this machine alone: in memory, or in a directory that each has for itself.
fn is_cache_of_a_machine(cache: &[u8]) -> bool {
    let path =
        cache.strip_prefix(b"FILE:").or_else(|| cache.strip_prefix(b"DIR:")).unwrap_or(cache);
    let own: [&[u8]; 4] = [b"/tmp/", b"/var/tmp/", b"/run/", b"/dev/shm/"];
    !path.starts_with(b"/") || own.iter().any(|dir| path.starts_with(dir))
}

/// Whether the launcher's value counts, although the job has one when it starts: what people set for their own tools, and
/// login files do too, which Slurm before 23.02 reads for a job; and what bash sets by itself.
pub(super) fn is_the_users(name: &OsStr) -> bool {
    let prefixes =
        ["LC_", "CONDA", "MAMBA", "_CONDA", "_CE_", "PYTHON", "VIRTUAL_ENV", "LESS", "PS"];
    let names = [
        "HOME",
        "USER",
        "LOGNAME",
        "SHELL",
        "LANG",
        "LANGUAGE",
        "TZ",
        "TERM",
        "MAIL",
        "EDITOR",
        "VISUAL",
        "PAGER",
        "LINES",
        "COLUMNS",
        "HOSTTYPE",
        "MACHTYPE",
        "OSTYPE",
        "LMFILES",
        "LOADEDMODULES",
        "_LMFILES_",
        "MODULESHOME",
    ];
    let name = name.as_bytes();
    name.ends_with(b"PATH")
        || prefixes.iter().any(|prefix| name.starts_with(prefix.as_bytes()))
        || names.iter().any(|known| known.as_bytes() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_a_place_stays_there() {
        let stays = [
            ("SLURM_JOB_ID", "1"),
            ("PMIX_RANK", "0"),
            ("OMPI_COMM_WORLD_RANK", "0"),
            ("TMPDIR", "/scratch/7"),
            ("XDG_RUNTIME_DIR", "/run/user/1"),
            ("KRB5CCNAME", "FILE:/tmp/krb5cc_1"),
            ("KRB5CCNAME", "/tmp/x"),
            ("KRB5CCNAME", "KEYRING:persistent:1"),
            ("KRB5CCNAME", "KCM:"),
            ("DISPLAY", ":0"),
            ("I_MPI_PIN", "1"),
        ];
        for (name, value) in stays {
            assert!(is_of_the_launcher(name.as_ref(), value.as_ref()), "{name}={value}");
        }
        let goes = [
            ("PATH", "/bin"),
            ("OMP_NUM_THREADS", "1"),
            ("KRB5CCNAME", "FILE:/home/me/cc"),
            ("TMPDIRECTORY", "x"),
            ("XDG_CONFIG_HOME", "/home/me/.config"),
            ("CUDA_HOME", "/usr/local/cuda"),
            ("JOB_NAME", "x"),
            ("A_", "x"),
        ];
        for (name, value) in goes {
            assert!(!is_of_the_launcher(name.as_ref(), value.as_ref()), "{name}={value}");
        }
    }
}
