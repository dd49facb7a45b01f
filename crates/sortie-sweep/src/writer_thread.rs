//! The thread of the writer, which writes what the orders that are there ask for, together.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::SweepError;
use crate::writer::{BYTES, News, ORDERS, Order, Read, SYNC, Start, Writer};

/// After it has written, the writer waits so long for more to write together.
const PACE: Duration = Duration::from_millis(5);

pub(crate) struct WriterThread {
    pub(crate) orders: Sender<Order>,
    /// Told at the thread's end, unless it broke off; `None` once that is known.
    ended: Option<oneshot::Receiver<()>>,
}

struct Work {
    writer: Writer,
    orders: Receiver<Order>,
    synced: Instant,
    starts: Vec<Start>,
    over: Vec<Read>,
    bytes: usize,
    /// Whether no more orders count.
    closes: bool,
}

impl WriterThread {
    /// Starts the thread, which writes until it is to close, or something cannot be written: then nothing more is.
    pub(crate) fn start(writer: Writer) -> io::Result<Self> {
        let (orders, receiver) = channel();
        let (end, ended) = oneshot::channel();
        let work = Work::new(writer, receiver);
        let write = move || {
            work.write();
            let _ = end.send(());
        };
        thread::Builder::new().name("sortie-writer".into()).spawn(write)?;
        Ok(Self { orders, ended: Some(ended) })
    }

    /// If the writer has failed, that is its last news.
    pub(crate) fn order(&self, order: Order) {
        let _ = self.orders.send(order);
    }

    /// Waits until the thread has ended; whether it did in order. May be dropped and called again.
    pub(crate) async fn ended(&mut self) -> bool {
        let in_order = match &mut self.ended {
            Some(ended) => ended.await.is_ok(),
            None => true,
        };
        self.ended = None;
        in_order
    }
}

impl Work {
    fn new(writer: Writer, orders: Receiver<Order>) -> Self {
        let (starts, over) = (Vec::new(), Vec::new());
        let synced = Instant::now();
        Self { writer, orders, synced, starts, over, bytes: 0, closes: false }
    }

    fn write(mut self) {
        if let Err(error) = self.write_all() {
            self.fail(error);
        }
    }

    fn write_all(&mut self) -> Result<(), SweepError> {
        while let Some(order) = self.next()? {
            match order {
                Order::Start { ids, noted } => self.starts.push((ids, noted)),
                Order::Finish(finish) => {
                    let mut read = Read::of(finish)?;
                    self.writer.believe(&mut read)?;
                    self.bytes += read.line.len();
                    self.over.push(read);
                }
                Order::Close => {
                    self.closes = true;
                    break;
                }
            }
        }
        self.flush()?;
        self.writer.files.sync()
    }

    /// The next order, before which what those before ask for is written if it is much, or there are no more of them; `None`
    /// if none can come.
    fn next(&mut self) -> Result<Option<Order>, SweepError> {
        loop {
            let is_full = self.over.len() + self.starts.len() >= ORDERS || self.bytes > BYTES;
            if !is_full && let Ok(order) = self.orders.try_recv() {
                return Ok(Some(order));
            }
            if !self.over.is_empty() || !self.starts.is_empty() {
                self.flush()?;
                thread::sleep(PACE);
                continue;
            }
            if self.synced.elapsed() >= SYNC {
                self.writer.files.sync()?;
                self.synced = Instant::now();
            }
            match self.orders.recv_timeout(SYNC.saturating_sub(self.synced.elapsed())) {
                Ok(order) => return Ok(Some(order)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
    }

    fn flush(&mut self) -> Result<(), SweepError> {
        self.bytes = 0;
        self.writer.finish(&std::mem::take(&mut self.over))?;
        self.writer.start(std::mem::take(&mut self.starts))
    }

    /// Tells that nothing more can be written, and waits until no more orders count.
    fn fail(self, error: SweepError) {
        let full = error.is_for_want_of_space();
        let _ = self.writer.news.send(News::Failed(error));
        while !self.closes
            && let Ok(order) = self.orders.recv()
        {
            match order {
                Order::Finish(finish) if full => self.writer.disbelieve(&finish.results_dir),
                Order::Close => return,
                Order::Start { .. } | Order::Finish(_) => {}
            }
        }
    }
}
