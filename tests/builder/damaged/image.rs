//! An image that is damaged, looked at, and mended again.

use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::damage::Damage;
use super::layout::{Region, regions};

/// Bytes of what is read at once.
const STEP: usize = 1 << 20;

/// An image on the disk, and what is in it.
#[derive(Debug)]
pub(super) struct Image {
    pub(super) path: PathBuf,
    pub(super) regions: Vec<Region>,
    file: File,
    sound: Vec<u8>,
    /// What is in the file now.
    bytes: Vec<u8>,
}

impl Image {
    pub(super) fn open(path: &Path) -> Self {
        let file = File::options().read(true).write(true).open(path).unwrap();
        let sound = fs::read(path).unwrap();
        let regions = regions(&sound);
        Self { path: path.to_owned(), regions, file, bytes: sound.clone(), sound }
    }

    pub(super) fn sound(&self) -> &[u8] {
        &self.sound
    }

    pub(super) fn damage(&mut self, damage: &Damage) {
        if let Some(length) = damage.length {
            self.bytes.truncate(length);
            self.file.set_len(length as u64).unwrap();
        }
        for change in &damage.changes {
            let (at, end) = (change.at, change.at + change.bytes.len());
            if let Some(place) = self.bytes.get_mut(at..end) {
                place.copy_from_slice(&change.bytes);
                self.file.write_all_at(&change.bytes, at as u64).unwrap();
            }
        }
    }

    pub(super) fn mend(&mut self, damage: &Damage) {
        let changed = damage.changes.iter().map(|change| change.at..change.at + change.bytes.len());
        let kept = self.bytes.len();
        self.file.set_len(self.sound.len() as u64).unwrap();
        self.bytes.extend_from_slice(&self.sound[kept..]);
        let cut_off = (kept..self.sound.len()).step_by(STEP);
        let cut_off = cut_off.map(|at| at..(at + STEP).min(self.sound.len()));
        for range in changed.chain(cut_off) {
            let sound = &self.sound[range.clone()];
            self.bytes[range.clone()].copy_from_slice(sound);
            if range.len() < STEP || sound.iter().any(|byte| *byte != 0) {
                self.file.write_all_at(sound, range.start as u64).unwrap();
            }
        }
    }

    /// Has nobody else written into it?
    pub(super) fn is_untouched(&self) -> Result<(), String> {
        as_long(&self.file, &self.bytes, "the input was changed")?;
        same(&self.file, &self.bytes, 0..self.bytes.len(), "the input was changed")
    }

    /// Is another one the same outside the first two partitions, as this one's table has them? Where the second has grown
    /// in it, nothing lies behind, and the table's entries differ.
    pub(super) fn is_same_outside(&self, other: &Path, has_grown: bool) -> Result<(), String> {
        const OTHERWISE: &str = "written outside the partitions";
        let other = File::open(other).map_err(|error| error.to_string())?;
        let word =
            |at: usize| u32::from_le_bytes(self.bytes[at..at + 4].try_into().unwrap()) as usize;
        let mut inside = [454, 470].map(|at| word(at) * 512..(word(at) + word(at + 4)) * 512);
        inside.sort_by_key(|range| range.start);
        let [first, second] = inside;
        let (between, behind) = (first.end..second.start, second.end..self.bytes.len());
        let outside = if has_grown {
            vec![0..446, 510..first.start, between]
        } else {
            as_long(&other, &self.bytes, OTHERWISE)?;
            vec![0..first.start, between, behind]
        };
        outside.into_iter().try_for_each(|range| same(&other, &self.bytes, range, OTHERWISE))
    }
}

fn as_long(file: &File, bytes: &[u8], otherwise: &str) -> Result<(), String> {
    let length = file.metadata().map_err(|error| error.to_string())?.len();
    if length == bytes.len() as u64 {
        return Ok(());
    }
    Err(format!("{otherwise}: {length} bytes instead of {}", bytes.len()))
}

/// Does a file hold these bytes in this range?
fn same(file: &File, bytes: &[u8], range: Range<usize>, otherwise: &str) -> Result<(), String> {
    let mut found = vec![0; STEP];
    for at in range.clone().step_by(STEP) {
        let wanted = &bytes[at..(at + STEP).min(range.end)];
        let found = &mut found[..wanted.len()];
        file.read_exact_at(found, at as u64).map_err(|error| error.to_string())?;
        if found == wanted {
            continue;
        }
        if let Some(place) = found.iter().zip(wanted).position(|(found, wanted)| found != wanted) {
            return Err(format!("{otherwise}: at {:#x}", at + place));
        }
    }
    Ok(())
}
