//! The system calls that Rust cannot check. All `unsafe` of this crate is here.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::ptr;
use std::time::Duration;

use nix::errno::Errno;
use nix::sched::{CloneFlags, CpuSet, sched_setaffinity};
use nix::sys::prctl;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::unistd::{ForkResult, Pid, chdir, getppid, setsid};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::{Status, Usage, open_files};

/// What becomes of a new process before it runs its program.
pub(crate) struct Image<'a> {
    pub(crate) program: &'a CStr,
    pub(crate) args: &'a [&'a CStr],
    pub(crate) env: &'a [&'a CStr],
    pub(crate) cwd: &'a CStr,
    /// The CPUs that it is bound to; those of this process if `None`.
    pub(crate) cpus: Option<&'a CpuSet>,
    /// Its file descriptors 0, 1, 2, …; each is that number already or larger than all of them, so
    /// that none overwrites another.
    pub(crate) files: &'a [RawFd],
}

/// The step of [`spawn`] that failed.
pub(crate) struct SpawnFailed {
    pub(crate) doing: &'static str,
    pub(crate) errno: Errno,
}

/// The step of [`spawn`] that binds a process to its CPUs.
pub(crate) const BIND: &str = "bind it to its CPUs";

/// Starts a program in a session of its own, with signals as by default and none blocked; the
/// kernel kills it when its parent dies.
///
/// The child borrows the parent's memory until it runs the program (`CLONE_VM | CLONE_VFORK`, as
/// `posix_spawn` does): copying even a small process costs more than starting a small program.
pub(crate) fn spawn(image: &Image<'_>, stack: &mut [u8]) -> Result<Pid, SpawnFailed> {
    let pointers = |strings: &[&CStr]| -> Vec<*const libc::c_char> {
        strings.iter().map(|s| s.as_ptr()).chain([ptr::null()]).collect()
    };
    let (args, env) = (pointers(image.args), pointers(image.env));
    let parent = nix::unistd::getpid();
    let failure = Cell::new(("create a process", Errno::UnknownErrno));
    let child = || -> isize {
        // Between here and execve nothing may allocate, lock or return into the parent's frames.
        let failure = &failure;
        let failed = |doing| move |errno| failure.set((doing, errno));
        let files_given = open_files::given();
        let steps = || -> Result<(), ()> {
            prctl::set_pdeathsig(Signal::SIGKILL).map_err(failed("set the death signal"))?;
            if getppid() != parent {
                return Err(());
            }
            setsid().map_err(failed("create a session"))?;
            chdir(image.cwd).map_err(failed("enter the working directory"))?;
            for (target, file) in (0..).zip(image.files) {
                // SAFETY: plain system call on numbers; both descriptors are this process's own.
                let result = unsafe { libc::dup2(*file, target) };
                Errno::result(result).map_err(failed("set up the standard files"))?;
            }
            if let Some(cpus) = image.cpus {
                sched_setaffinity(Pid::from_raw(0), cpus).map_err(failed(BIND))?;
            }
            if let Some(given) = files_given {
                open_files::give_back(given).map_err(failed("set the limit of open files"))?;
            }
            let none = SigSet::empty();
            sigprocmask(SigmaskHow::SIG_SETMASK, Some(&none), None)
                .map_err(failed("unblock signals"))?;
            // SAFETY: program, args and env are NUL-terminated and outlive the call.
            unsafe { libc::execve(image.program.as_ptr(), args.as_ptr(), env.as_ptr()) };
            failure.set(("execute", Errno::last()));
            Err(())
        };
        let _: Result<(), ()> = steps();
        // SAFETY: leaves without running the parent's exit handlers.
        unsafe { libc::_exit(127) }
    };
    let flags = CloneFlags::CLONE_VM | CloneFlags::CLONE_VFORK;
    // SAFETY: the parent stands still until the child has called execve or _exit (CLONE_VFORK),
    // so the stack and all that is borrowed outlive the child's use of them.
    let cloned = unsafe { nix::sched::clone(Box::new(child), stack, flags, Some(libc::SIGCHLD)) };
    let pid = cloned.map_err(|errno| SpawnFailed { doing: "create a process", errno })?;
    match failure.get() {
        (_, Errno::UnknownErrno) => Ok(pid),
        (doing, errno) => {
            let _ = nix::sys::wait::waitpid(pid, None);
            Err(SpawnFailed { doing, errno })
        }
    }
}

/// What [`reap`] found.
pub(crate) enum Reaped {
    /// A child that ended.
    Child(Pid, Status, Usage),
    /// There are children, and all are running.
    AllRunning,
    /// There is no child.
    None,
}

/// Collects one child that has ended, whichever it is. Only for processes that own all their
/// children: the spawn server and its reapers, never the launcher.
pub(crate) fn reap() -> Reaped {
    let mut status = 0;
    // SAFETY: rusage is plain old data, and both pointers are valid for the call.
    let (pid, usage) = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        (libc::wait4(-1, &raw mut status, libc::WNOHANG, &raw mut usage), usage)
    };
    match pid {
        0 => Reaped::AllRunning,
        pid if pid > 0 => Reaped::Child(Pid::from_raw(pid), decode(status), convert(&usage)),
        _ => Reaped::None,
    }
}

/// The status of a process that has ended, as the `wait` functions tell it.
pub(crate) fn decode(status: i32) -> Status {
    if libc::WIFSIGNALED(status) {
        Status::Signaled(libc::WTERMSIG(status))
    } else {
        Status::Exited(libc::WEXITSTATUS(status))
    }
}

/// Collects all children that have ended; whether any are left.
pub(crate) fn reap_all() -> Reaped {
    loop {
        match reap() {
            Reaped::Child(..) => {}
            other => return other,
        }
    }
}

fn convert(usage: &libc::rusage) -> Usage {
    let time = |t: libc::timeval| {
        let micros = t.tv_sec.saturating_mul(1_000_000).saturating_add(t.tv_usec);
        Duration::from_micros(micros.try_into().unwrap_or(0))
    };
    Usage {
        user: time(usage.ru_utime),
        system: time(usage.ru_stime),
        // Linux counts in KiB, getrusage(2).
        peak_memory: u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1024,
    }
}

/// The time of `CLOCK_MONOTONIC`, the same for all processes of the machine: that of Rust's `Instant`, which keeps it to
/// itself.
pub(crate) fn monotonic() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is valid for the call.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}

/// Has a program that is to be started get the limit of open files that this process was given.
pub(crate) fn give_back_open_files(command: &mut std::process::Command) {
    if let Some(given) = open_files::given() {
        // SAFETY: two system calls; nothing is allocated or locked.
        unsafe { command.pre_exec(move || Ok(open_files::give_back(given)?)) };
    }
}

/// Forks a process that has one thread. `None` in the child.
pub(crate) fn fork() -> nix::Result<Option<Pid>> {
    // SAFETY: only the spawn server forks, and it has one thread: nothing is left locked in the child.
    match unsafe { nix::unistd::fork()? } {
        ForkResult::Parent { child } => Ok(Some(child)),
        ForkResult::Child => Ok(None),
    }
}

/// A descriptor for a process that becomes readable when it ends, `pidfd_open(2)`.
pub(crate) fn pidfd(pid: Pid) -> io::Result<OwnedFd> {
    // SAFETY: plain system call on numbers.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) };
    Ok(own(Errno::result(fd)?.try_into().map_err(io::Error::other)?))
}

/// Whether an error of [`pidfd`] says that no process has that number.
pub(crate) fn is_no_process(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(Errno::from_raw);
    matches!(errno, Some(Errno::ESRCH | Errno::EINVAL))
}

/// Takes charge of a descriptor that a system call has just made.
pub(crate) fn own(fd: RawFd) -> OwnedFd {
    // SAFETY: callers pass descriptors they were just given, owned by nobody else.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// Has tokio's reactor watch a socket for something to read, and for nothing else.
pub(crate) fn watch(socket: UnixStream) -> io::Result<AsyncFd<UnixStream>> {
    // SAFETY: the stream owns its descriptor, which stays the same and open until it is dropped.
    Ok(unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE)? })
}

/// The standard descriptor `number`, which is open in every process that this is called in.
pub(crate) fn standard(number: RawFd) -> BorrowedFd<'static> {
    // SAFETY: 0, 1 and 2 are opened at the start of the spawn server and never closed.
    unsafe { BorrowedFd::borrow_raw(number) }
}

/// Closes every descriptor but the standard ones and `kept`, which moves to 3.
pub(crate) fn keep_only(kept: &impl AsRawFd) -> io::Result<OwnedFd> {
    if kept.as_raw_fd() != 3 {
        // SAFETY: plain system call on numbers; whatever 3 was is not used again, as below.
        Errno::result(unsafe { libc::dup3(kept.as_raw_fd(), 3, libc::O_CLOEXEC) })?;
    }
    close_from(4);
    Ok(own(3))
}

/// Closes every descriptor from `first` on.
pub(crate) fn close_from(first: RawFd) {
    // SAFETY: only called where nothing that is open is used again: in a new reaper, of what the spawn server had
    // open, and in a new launcher before it has opened anything.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, 0) } == 0;
    if !closed {
        // Before Linux 5.9.
        for fd in first..65536 {
            // SAFETY: as above.
            unsafe { libc::close(fd) };
        }
    }
}

/// Ignores hang-ups, and heeds SIGTERM where that was ignored.
pub(crate) fn take_signals_of_a_launcher() {
    // SAFETY: no handler is set, and the process has one thread.
    unsafe {
        let _ = nix::sys::signal::signal(Signal::SIGHUP, nix::sys::signal::SigHandler::SigIgn);
        let _ = nix::sys::signal::signal(Signal::SIGTERM, nix::sys::signal::SigHandler::SigDfl);
    }
}

/// Sends a signal to the process of a [`pidfd`]; whether it was still there.
pub(crate) fn signal(pidfd: &impl AsRawFd, signal: Signal) -> io::Result<bool> {
    let none = ptr::null::<libc::siginfo_t>();
    // SAFETY: plain system call on numbers; no further information is passed.
    let sent = unsafe {
        libc::syscall(libc::SYS_pidfd_send_signal, pidfd.as_raw_fd(), signal as i32, none, 0)
    };
    match Errno::result(sent) {
        Ok(_) => Ok(true),
        Err(Errno::ESRCH) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

/// Sets every signal to its default action and blocks `blocked`.
pub(crate) fn reset_signals(blocked: &SigSet) {
    // All zeros is the default action (SIG_DFL) without flags, whatever the architecture's layout.
    let default = [0_u64; 8];
    for signal in 1..=libc::SIGRTMAX() {
        // SAFETY: valid pointers and the size of the kernel's signal set. The kernel itself is asked,
        // as the C library keeps two signals to itself, which may be ignored all the same.
        unsafe {
            let none = ptr::null_mut::<libc::c_void>();
            libc::syscall(libc::SYS_rt_sigaction, signal, default.as_ptr(), none, 8)
        };
    }
    let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(blocked), None);
}

/// Ends this process at once.
pub(crate) fn leave(code: i32) -> ! {
    // SAFETY: ends the process without running the host program's exit handlers.
    unsafe { libc::_exit(code) }
}

/// Runs before `main` of every program that this crate is linked into, and does nothing there but
/// look at one variable, unless the program was started to be a spawn server.
#[ctor::ctor(unsafe)]
fn before_main() {
    crate::hook::enter();
}
