//! A file system that does not answer for a while, as a network mount whose server is gone: opening anything there waits
//! until it answers again. Needs root, for fanotify(7). The tests of the tool take this file, too.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use nix::fcntl::AT_FDCWD;
use nix::sys::fanotify::{
    EventFFlags, Fanotify, FanotifyResponse, InitFlags, MarkFlags, MaskFlags, Response,
};

/// A small file system of its own, which answers again and is unmounted when it is dropped.
pub(crate) struct Mount {
    path: PathBuf,
    hangs: Arc<(Mutex<bool>, Condvar)>,
}

impl Mount {
    /// Mounts it on a directory, which is made if it is not there. It answers.
    pub(crate) fn on(path: &Path) -> Self {
        fs::create_dir_all(path).unwrap();
        // Of a kind that is not taken to answer always.
        run("mount", &["-t", "ramfs", "sortie-test", path.to_str().unwrap()]);
        let hangs = Arc::<(Mutex<bool>, Condvar)>::default();
        let mount = Self { path: path.to_owned(), hangs: hangs.clone() };
        // Programs that other tests start are not to have its descriptors.
        let kind = InitFlags::FAN_CLASS_CONTENT | InitFlags::FAN_CLOEXEC;
        let events = Fanotify::init(kind, EventFFlags::O_RDONLY | EventFFlags::O_CLOEXEC).unwrap();
        let all = MaskFlags::FAN_OPEN_PERM | MaskFlags::FAN_ONDIR;
        let whole = MarkFlags::FAN_MARK_ADD | MarkFlags::FAN_MARK_MOUNT;
        events.mark(whole, all, AT_FDCWD, Some(path)).unwrap();
        // It goes on until the program ends, as the file system may be in use for so long.
        thread::spawn(move || {
            loop {
                for event in events.read_events().unwrap() {
                    let (hangs, changed) = &*hangs;
                    drop(changed.wait_while(hangs.lock().unwrap(), |hangs| *hangs).unwrap());
                    let answer = FanotifyResponse::new(event.fd().unwrap(), Response::FAN_ALLOW);
                    events.write_response(answer).unwrap();
                }
            }
        });
        mount
    }

    /// From now on it does not answer.
    pub(crate) fn hangs(&self) {
        self.set(true);
    }

    /// It answers again.
    pub(crate) fn answers(&self) {
        self.set(false);
    }

    fn set(&self, hangs: bool) {
        *self.hangs.0.lock().unwrap() = hangs;
        self.hangs.1.notify_all();
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        self.answers();
        run("umount", &["--lazy", self.path.to_str().unwrap()]);
    }
}

#[expect(clippy::disallowed_methods, reason = "a process of the test, not of the crate")]
fn run(program: &str, args: &[&str]) {
    let output = std::process::Command::new(program).args(args).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
}
