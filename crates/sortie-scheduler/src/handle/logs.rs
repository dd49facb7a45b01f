//! A log that is read as it grows.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use sortie_results::{Log, Unusable};

use super::HandleError;

/// How much is read at once to find a line, in bytes.
const BLOCK: usize = 64 << 10;

/// A log of a job, and how far it was read. It goes on into the next attempt, if there is one.
#[derive(Debug)]
pub struct LogReader {
    dir: PathBuf,
    log: Log,
    /// With how many lines from the end to begin, in the first file.
    lines: Option<usize>,
    file: Option<File>,
    position: u64,
}

impl LogReader {
    pub(super) fn new(dir: &Path, log: Log, lines: Option<usize>) -> Self {
        Self { dir: dir.to_owned(), log, lines, file: None, position: 0 }
    }

    /// Reads on: how many bytes. 0 if nothing was written since, which says nothing of what is yet to come:
    /// [`JobView::has_whole_logs`](super::JobView::has_whole_logs) does, if it is asked first.
    ///
    /// # Errors
    ///
    /// The job has put something else in the log's place, or it cannot be read.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, HandleError> {
        let read = self.try_read(buffer);
        read.map_err(|cause| HandleError::Log { dir: self.dir.clone(), log: self.log, cause })
    }

    fn try_read(&mut self, buffer: &mut [u8]) -> Result<usize, Unusable> {
        match self.read_open(buffer)? {
            0 if self.renew()? => Ok(self.read_open(buffer)?),
            read => Ok(read),
        }
    }

    fn read_open(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(file) = &self.file else { return Ok(0) };
        let read = file.read_at(buffer, self.position)?;
        self.position += read as u64;
        // Whoever writes it may have emptied it.
        if read == 0 && file.metadata().is_ok_and(|now| now.len() < self.position) {
            self.position = 0;
        }
        Ok(read)
    }

    /// Goes on to the file that has the log's name by now, of the next attempt; whether it is another. Opened anew each
    /// time, as only that shows what another machine has written (`nfs(5)`).
    fn renew(&mut self) -> Result<bool, Unusable> {
        let next = match self.log.open(&self.dir) {
            Ok(file) => file,
            Err(Unusable::Missing) => return Ok(false),
            Err(why) => return Err(why),
        };
        let which = |file: &File| file.metadata().map(|file| (file.dev(), file.ino())).ok();
        let is_new = self.file.as_ref().is_none_or(|file| which(file) != which(&next));
        if is_new {
            self.position = match self.lines.take() {
                Some(lines) => start_of_last(&next, lines).unwrap_or(0),
                None => 0,
            };
        }
        self.file = Some(next);
        Ok(true)
    }
}

/// Where the last lines of a file begin; a last one without an end counts.
fn start_of_last(file: &File, lines: usize) -> io::Result<u64> {
    let size = file.metadata()?.len();
    let mut block = vec![0; BLOCK];
    let (mut end, mut left) = (size, lines);
    while end > 0 {
        let start = end.saturating_sub(BLOCK as u64);
        let length = usize::try_from(end - start).unwrap_or(BLOCK);
        let part = &mut block[..length];
        file.read_exact_at(part, start)?;
        for (at, byte) in part.iter().enumerate().rev() {
            let position = start + at as u64 + 1;
            // The end of the last line is not the start of another.
            if *byte == b'\n' && position < size {
                if left <= 1 {
                    return Ok(if left == 0 { size } else { position });
                }
                left -= 1;
            }
        }
        end = start;
    }
    Ok(if lines == 0 { size } else { 0 })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn last(text: &str, lines: usize) -> String {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let start = usize::try_from(start_of_last(&file, lines).unwrap()).unwrap();
        text[start..].to_owned()
    }

    #[test]
    fn the_last_lines() {
        for (text, lines, expected) in [
            ("", 3, ""),
            ("one\ntwo\nthree\n", 2, "two\nthree\n"),
            ("one\ntwo\nthree", 2, "two\nthree"),
            ("one\ntwo\n", 1, "two\n"),
            ("one\ntwo\n", 9, "one\ntwo\n"),
            ("one\ntwo\n", 0, ""),
            ("one", 0, ""),
            ("\n\n\n", 2, "\n\n"),
        ] {
            assert_eq!(last(text, lines), expected, "{lines} of {text:?}");
        }
        let long = "x".repeat(BLOCK) + "\n" + &"y".repeat(BLOCK) + "\n";
        assert_eq!(last(&long, 1).len(), BLOCK + 1);
        assert_eq!(last(&long, 2), long);
    }

    #[test]
    fn growth_truncation_and_the_next_attempt() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("job_log.out");
        let mut reader = LogReader::new(dir.path(), Log::Stdout, Some(1));
        let mut more = || {
            let mut text = String::new();
            let mut buffer = [0; 4];
            loop {
                match reader.read(&mut buffer).unwrap() {
                    0 => return text,
                    read => text += str::from_utf8(&buffer[..read]).unwrap(),
                }
            }
        };
        assert_eq!(more(), "");
        std::fs::write(&path, "one\ntwo\n").unwrap();
        assert_eq!([more(), more()], ["two\n", ""]);
        let mut log = File::options().append(true).open(&path).unwrap();
        write!(log, "three").unwrap();
        assert_eq!(more(), "three");
        log.set_len(0).unwrap();
        write!(log, "anew").unwrap();
        assert_eq!(more() + &more(), "anew");
        std::fs::rename(&path, dir.path().join("moved")).unwrap();
        write!(log, ", at last").unwrap();
        std::fs::write(&path, "a\nb\n").unwrap();
        assert_eq!(more() + &more(), ", at lasta\nb\n");
    }
}
