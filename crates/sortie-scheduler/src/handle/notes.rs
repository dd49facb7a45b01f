//! What a launcher writes of a job, in a thread of its own: where the file system does not answer, signals are still heeded.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use sortie_results::{Lease, OwnerDir, OwnerNote};

/// So long it is waited for a note that is being written; it is written all the same when it can be.
const NOTE: Duration = Duration::from_millis(200);
/// For so long the lease may take to be given back.
const LEASE: Duration = Duration::from_secs(2);

/// Writes the notes, and has the lease until it is dropped.
#[derive(Debug)]
pub(super) struct Notes {
    /// `None` where the machine has no thread to give: then they are written in this one.
    beside: Option<Sender<(OwnerNote, Sender<()>)>>,
    here: Option<Writer>,
    given_back: Receiver<()>,
}

#[derive(Debug)]
struct Writer {
    dir: Arc<OwnerDir>,
    _lease: Lease,
}

impl Notes {
    pub(super) fn new(dir: Arc<OwnerDir>, lease: Lease) -> Self {
        let writer = Writer { dir, _lease: lease };
        let (give, given) = mpsc::channel::<Writer>();
        let (sender, notes) = mpsc::channel::<(OwnerNote, Sender<()>)>();
        let (end, given_back) = mpsc::channel();
        let work = move || {
            let Ok(writer) = given.recv() else { return };
            for (note, written) in notes {
                writer.write(&note);
                // Whoever does not wait any more misses nothing.
                let _ = written.send(());
            }
            drop(writer);
            let _ = end.send(());
        };
        match thread::Builder::new().name("sortie-notes".into()).spawn(work) {
            Ok(_) => {
                let here = give.send(writer).err().map(|unsent| unsent.0);
                Self { beside: Some(sender), here, given_back }
            }
            Err(_) => Self { beside: None, here: Some(writer), given_back },
        }
    }

    /// Writes a note, after those before it.
    pub(super) fn write(&self, note: OwnerNote) {
        if let Some(writer) = &self.here {
            return writer.write(&note);
        }
        let (written, waits) = mpsc::channel();
        if let Some(beside) = &self.beside
            && beside.send((note, written)).is_ok()
        {
            let _ = waits.recv_timeout(NOTE);
        }
    }
}

impl Drop for Notes {
    fn drop(&mut self) {
        self.beside = None;
        if self.here.is_none() {
            let _ = self.given_back.recv_timeout(LEASE);
        }
    }
}

impl Writer {
    fn write(&self, note: &OwnerNote) {
        if let Err(error) = self.dir.write(note) {
            tracing::warn!("cannot note where the job stands: {error}");
        }
    }
}
