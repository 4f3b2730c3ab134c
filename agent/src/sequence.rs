//! The numbers of the readings: strictly growing, through reboots and power cuts.
//!
//! Numbers are reserved on disk by the thousand *before* the first of them is given out. After a power
//! cut the rest of a thousand is never used: a gap, but never a number twice. A clean end gives it back.
//!
//! The file holds the next unreserved number twice, `3000 3000`, so that one bit rotten in flash is
//! noticed. A second copy lies beside it, written first, so that it is never behind.

use std::path::{Path, PathBuf};

use tracing::{error, info, warn};

use crate::files;

/// How many numbers one write to the disk reserves.
pub const BLOCK: u64 = 1000;

/// Gives out numbers.
#[derive(Debug)]
pub struct Sequence {
    next: u64,
    reserved: u64,
    file: PathBuf,
    copy: PathBuf,
    writable: bool,
}

impl Sequence {
    /// Goes on where the numbers in a folder ended. Whatever the disk does, there are numbers.
    pub fn open(state: &Path) -> Self {
        let (file, copy) = (state.join("sequence"), state.join("sequence.copy"));
        let next = read(&file).or_else(|| read(&copy)).unwrap_or(1);
        Self { next, reserved: next, file, copy, writable: true }
    }

    /// The next number.
    pub fn next_number(&mut self) -> u64 {
        if self.next >= self.reserved {
            self.reserved = self.next.saturating_add(BLOCK);
            self.write(self.reserved);
        }
        let number = self.next;
        self.next = self.next.saturating_add(1);
        number
    }

    /// Gives back what was reserved and not used.
    pub fn close(mut self) {
        if self.next < self.reserved {
            self.write(self.next);
        }
    }

    /// A disk that cannot be written is said once: numbers go on, and so do readings.
    fn write(&mut self, number: u64) {
        let text = format!("{number} {number}\n");
        let folder = self.file.parent().map_or(Ok(()), std::fs::create_dir_all);
        let written = folder
            .and_then(|()| files::replace_durably(&self.copy, &text))
            .and_then(|()| files::replace_durably(&self.file, &text));
        match &written {
            Ok(()) if !self.writable => info!("sequence numbers are kept again"),
            Err(error) if self.writable => error!(
                file = %self.file.display(),
                %error,
                "cannot keep sequence numbers: after a restart some will come twice"
            ),
            _ => {}
        }
        self.writable = written.is_ok();
    }
}

/// The number in a file; a file that holds none is set aside for whoever wants to know.
fn read(path: &Path) -> Option<u64> {
    let text = match std::fs::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => {
            warn!(file = %path.display(), %error, "cannot read sequence numbers");
            return None;
        }
    };
    let mut numbers = text.split_whitespace().map(str::parse::<u64>);
    match (numbers.next(), numbers.next(), numbers.next()) {
        (Some(Ok(number)), Some(Ok(again)), None) if number == again => Some(number),
        _ => {
            set_aside(path);
            None
        }
    }
}

fn set_aside(path: &Path) {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".corrupt");
    let moved = std::fs::rename(path, &aside);
    warn!(file = %path.display(), set_aside = moved.is_ok(), "sequence numbers are not readable");
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn take(sequence: &mut Sequence, count: usize) -> Vec<u64> {
        (0..count).map(|_| sequence.next_number()).collect()
    }

    #[test]
    fn numbers_go_on_after_a_clean_end_and_skip_after_a_power_cut() {
        let state = tempfile::tempdir().unwrap();
        let mut sequence = Sequence::open(state.path());
        assert_eq!(take(&mut sequence, 3), [1, 2, 3]);
        sequence.close();
        let mut sequence = Sequence::open(state.path());
        assert_eq!(take(&mut sequence, 2), [4, 5]);
        drop(sequence); // as kill -9 leaves it
        assert_eq!(take(&mut Sequence::open(state.path()), 1), [1004]);
    }

    #[test]
    fn a_block_is_on_disk_before_its_first_number_is_out() {
        let state = tempfile::tempdir().unwrap();
        let mut sequence = Sequence::open(state.path());
        for expected in 1..=2 * BLOCK + 1 {
            assert_eq!(sequence.next_number(), expected);
            let kept = fs::read_to_string(state.path().join("sequence")).unwrap();
            let kept: u64 = kept.split(' ').next().unwrap().parse().unwrap();
            assert!(kept > expected);
        }
    }

    #[test]
    fn rotten_files_are_set_aside_and_numbers_still_grow() {
        for rot in [
            "",
            "1001",
            "1001 1003\n",
            "x x",
            "\u{0}\u{0}",
            "99999999999999999999 99999999999999999999",
        ] {
            let state = tempfile::tempdir().unwrap();
            let highest = *take(&mut Sequence::open(state.path()), 700).last().unwrap();
            fs::write(state.path().join("sequence"), rot).unwrap();
            let mut sequence = Sequence::open(state.path());
            assert!(sequence.next_number() > highest, "{rot:?}");
            assert!(state.path().join("sequence.corrupt").exists(), "{rot:?}");
        }
    }

    #[test]
    fn at_every_step_of_a_write_a_power_cut_leaves_higher_numbers() {
        // the copy is written first: file old and copy new, or no file at all, are the states between
        let state = tempfile::tempdir().unwrap();
        fs::write(state.path().join("sequence"), "1001 1001\n").unwrap();
        fs::write(state.path().join("sequence.copy"), "2001 2001\n").unwrap();
        fs::write(state.path().join("sequence.new"), "20").unwrap();
        assert_eq!(Sequence::open(state.path()).next_number(), 1001, "2001 was never given out");
    }

    #[test]
    fn without_a_disk_there_are_numbers_all_the_same() {
        let state = tempfile::tempdir().unwrap();
        fs::write(state.path().join("file"), "").unwrap();
        let mut sequence = Sequence::open(&state.path().join("file/state"));
        assert_eq!(take(&mut sequence, 1500).last(), Some(&1500));
        sequence.close();
    }
}
