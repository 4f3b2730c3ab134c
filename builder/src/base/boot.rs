//! The boot partition, read through `hadris-fat`: a reader written apart from mtools, which writes.
//!
//! Of the readers in Rust it is the sounder one: every walk along a cluster chain is bounded, sizes out
//! of a directory are not trusted before memory is reserved, and it is kept up, while `fatfs` has had
//! no release since 2023 with known faults. Only its reading half is built in: no writing, no clock.

use std::fmt;
use std::io::Write;

use anyhow::{Context, anyhow, ensure};
use hadris_fat::FatVolume;
use hadris_fat::dir::{FatDir, FileEntry};
use hadris_fat::read::FileReader;

use super::fat::MOST_ENTRIES;
use super::partition::Window;
use super::tree::{Kind, Metadata, Tree};

/// Files longer than this are read along a cluster chain that is fetched at once: one seek for each
/// fragment, not for each cluster of 512 bytes. For short files that would read more than it saves.
const LONG: u64 = 256 * 1024;

/// The boot file system of an image, read-only.
pub struct Boot {
    volume: FatVolume<Window>,
    /// Bytes of its partition.
    length: u64,
}

impl fmt::Debug for Boot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Boot({:08x})", self.volume.volume_info().volume_id())
    }
}

impl Boot {
    /// Opens the file system that fills `window`.
    pub fn open(window: Window) -> anyhow::Result<Self> {
        let length = window.length();
        let volume =
            FatVolume::open(window).map_err(plain).context("reading the boot file system")?;
        Ok(Self { volume, length })
    }

    /// The volume's label, as in `bootfs`.
    pub fn label(&self) -> String {
        self.volume.volume_info().volume_label().trim_end().to_owned()
    }

    fn folder(&self, names: &[&str]) -> anyhow::Result<Option<FatDir<'_, Window>>> {
        let mut folder = self.volume.root_dir();
        for name in names {
            match folder.find(name).map_err(plain)? {
                Some(entry) if entry.is_directory() => {
                    folder = folder.open_entry(&entry).map_err(plain)?;
                }
                _ => return Ok(None),
            }
        }
        Ok(Some(folder))
    }

    fn find(&self, path: &str) -> anyhow::Result<Option<FileEntry>> {
        let names = names(path);
        let Some((name, folders)) = names.split_last() else { return Ok(None) };
        let Some(folder) = self.folder(folders)? else { return Ok(None) };
        folder.find(name).map_err(plain)
    }
}

impl Tree for Boot {
    fn copy_to(&self, path: &str, sink: &mut dyn Write) -> anyhow::Result<Option<u64>> {
        let Some(entry) = self.find(path).with_context(|| reading(path))? else { return Ok(None) };
        if entry.is_directory() {
            return Ok(None);
        }
        let total = copy(&self.volume, &entry, self.length, sink).with_context(|| reading(path))?;
        Ok(Some(total))
    }

    fn metadata(&self, path: &str) -> anyhow::Result<Option<Metadata>> {
        let (kind, size) = if names(path).is_empty() {
            (Kind::Folder, 0)
        } else {
            match self.find(path).with_context(|| reading(path))? {
                None => return Ok(None),
                Some(entry) if entry.is_directory() => (Kind::Folder, 0),
                Some(entry) => (Kind::File, entry.len()),
            }
        };
        // FAT knows no owners and no modes: this is how the kernel shows it with `defaults`
        Ok(Some(Metadata { kind, mode: 0o755, uid: 0, gid: 0, size, modified: None }))
    }

    fn list(&self, folder: &str) -> anyhow::Result<Vec<String>> {
        let Some(opened) = self.folder(&names(folder)).with_context(|| reading(folder))? else {
            return Ok(Vec::new());
        };
        let mut entries = opened.entries();
        let mut found = Vec::new();
        while let Some(entry) = entries.next_entry() {
            ensure!(
                found.len() < MOST_ENTRIES,
                "the folder `{folder}` of the boot partition has more entries than one can have"
            );
            found.push(entry.map_err(plain).with_context(|| reading(folder))?.name().into_owned());
        }
        found.retain(|name| name != "." && name != "..");
        found.sort_unstable();
        Ok(found)
    }
}

fn copy(
    volume: &FatVolume<Window>,
    entry: &FileEntry,
    most: u64,
    sink: &mut dyn Write,
) -> anyhow::Result<u64> {
    let length = entry.len();
    ensure!(length <= most, "it is said to have {length} bytes, and its partition has {most}");
    let mut reader = FileReader::new(volume, entry).map_err(plain)?;
    if length > LONG {
        reader = reader.with_cached_chain().map_err(plain)?;
    }
    let mut buffer = vec![0; 64 * 1024];
    let mut total = 0;
    loop {
        let count = reader.read(&mut buffer).map_err(plain)?;
        if count == 0 {
            break;
        }
        sink.write_all(&buffer[..count])?;
        total += count as u64;
    }
    // a chain that ends early reads as an early end of file
    ensure!(total == length, "its cluster chain ends after {total} of {length} bytes");
    Ok(total)
}

fn names(path: &str) -> Vec<&str> {
    path.split('/').filter(|name| !name.is_empty() && *name != ".").collect()
}

fn reading(path: &str) -> String {
    format!("reading `{path}` of the boot partition")
}

/// Its errors may not cross threads, so only their words are kept.
#[expect(clippy::needless_pass_by_value, reason = "it stands in for a closure in map_err")]
fn plain(error: hadris_fat::Error) -> anyhow::Error {
    anyhow!("{error}")
}
