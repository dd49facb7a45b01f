//! A log that is read as it grows.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use sortie_results::{Log, Unusable};

use crate::exit_status;
use crate::failure::Failure;

/// How much is read at once, in bytes.
const BLOCK: usize = 64 << 10;

/// A log, and how far it was read.
pub(super) struct Followed {
    dir: PathBuf,
    log: Log,
    /// With how many lines from the end to begin, in the first file.
    lines: Option<usize>,
    file: Option<File>,
    position: u64,
}

/// Why a log was not read on.
pub(super) enum Stopped {
    Unusable(Log, Unusable),
    Output(io::Error),
}

impl Stopped {
    pub(super) fn of(self, dir: &Path) -> Failure {
        match self {
            Self::Output(error) => Failure::Output(error),
            Self::Unusable(log, why) => Failure::Job {
                dir: dir.to_owned(),
                problem: format!("the log of {log:?} {why}").to_lowercase(),
                hint: "the job has put something else in its place".to_owned(),
                status: exit_status::SETUP,
            },
        }
    }
}

impl Followed {
    pub(super) fn new(dir: &Path, log: Log, lines: Option<usize>) -> Self {
        Self { dir: dir.to_owned(), log, lines, file: None, position: 0 }
    }

    /// Passes on what was written since the last time; whether there was anything.
    pub(super) fn read_on(
        &mut self,
        mut pass: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<bool, Stopped> {
        let mut grown = self.drain(&mut pass)?;
        if !grown && self.renew()? {
            grown = self.drain(&mut pass)?;
        }
        Ok(grown)
    }

    fn drain(&mut self, pass: &mut impl FnMut(&[u8]) -> io::Result<()>) -> Result<bool, Stopped> {
        let Some(file) = &self.file else { return Ok(false) };
        let mut block = vec![0; BLOCK];
        let mut grown = false;
        loop {
            match file.read_at(&mut block, self.position) {
                Ok(0) => break,
                Ok(read) => {
                    pass(&block[..read]).map_err(Stopped::Output)?;
                    self.position += read as u64;
                    grown = true;
                }
                Err(error) => return Err(Stopped::Unusable(self.log, error.into())),
            }
        }
        // Whoever writes it may have emptied it.
        if !grown && file.metadata().is_ok_and(|now| now.len() < self.position) {
            self.position = 0;
        }
        Ok(grown)
    }

    /// Goes on to the file that has the log's name by now, of the next attempt; whether it is another. Opened anew each
    /// time, as only that shows what another machine has written (`nfs(5)`).
    fn renew(&mut self) -> Result<bool, Stopped> {
        let next = match self.log.open(&self.dir) {
            Ok(file) => file,
            Err(Unusable::Missing) => return Ok(false),
            Err(why) => return Err(Stopped::Unusable(self.log, why)),
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
        let mut followed = Followed::new(dir.path(), Log::Stdout, Some(1));
        let mut more = || {
            let mut text = Vec::new();
            let pass = |bytes: &[u8]| {
                text.extend_from_slice(bytes);
                Ok(())
            };
            assert!(followed.read_on(pass).is_ok());
            String::from_utf8(text).unwrap()
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
