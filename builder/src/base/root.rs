//! The root partition, read through `ext4-view`: a reader written apart from e2fsprogs, which writes.
//!
//! It validates metadata checksums as it reads, so a read-back is also a check.

use std::fmt;
use std::io::Write;

use anyhow::{Context, ensure};
use ext4_view::{Ext4, Ext4Error, FileType};

use super::partition::Window;
use super::tree::{Kind, Metadata, Tree};

/// The most links that are followed on the way to a file, and the longest one: as Linux has it.
const MOST_LINKS: u32 = 40;
const LONGEST_LINK: u64 = 4095;

/// The root file system of an image, read-only.
#[derive(Clone)]
pub struct Root {
    system: Ext4,
    /// Bytes of its partition.
    length: u64,
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Root({})", self.system.uuid())
    }
}

impl Root {
    /// Opens the file system that fills `window`.
    pub fn open(window: Window) -> anyhow::Result<Self> {
        let length = window.length();
        let system = Ext4::load(Box::new(window)).context("reading the root file system")?;
        Ok(Self { system, length })
    }

    /// Where a path ends when every link on the way is followed; `None` if it ends nowhere.
    pub fn resolve(&self, path: &str) -> anyhow::Result<Option<String>> {
        self.followed(path, true)
    }

    /// The path with every link on the way followed, the last part's only if that is wanted; none if it leads nowhere.
    ///
    /// Done here: the reader would make room for whatever length a damaged link is said to have.
    fn followed(&self, path: &str, last: bool) -> anyhow::Result<Option<String>> {
        let mut rest: Vec<String> = parts(path);
        let mut done: Vec<String> = Vec::new();
        let mut links = 0;
        while let Some(part) = rest.pop() {
            if part == ".." {
                done.pop();
                continue;
            }
            done.push(part);
            if rest.is_empty() && !last {
                break;
            }
            let here = joined(&done);
            let Some(metadata) = found(self.system.symlink_metadata(&*here), &here)? else {
                return Ok(None);
            };
            if metadata.file_type() == FileType::Symlink {
                links += 1;
                ensure!(links <= MOST_LINKS, "{}: too many links are on the way", reading(path));
                let target = self.link(&here, metadata.len())?;
                done.pop();
                if target.starts_with('/') {
                    done.clear();
                }
                rest.extend(parts(&target));
            }
        }
        Ok(Some(joined(&done)))
    }

    /// Where a link leads that is said to have so many bytes.
    fn link(&self, path: &str, length: u64) -> anyhow::Result<String> {
        ensure!(
            length <= LONGEST_LINK,
            "{}: it is a link that is said to have {length} bytes",
            reading(path)
        );
        let target = self.system.read_link(path).with_context(|| reading(path))?;
        Ok(target.display().to_string())
    }

    /// Opens a file, links followed; none if there is none.
    fn open_file(&self, path: &str) -> anyhow::Result<Option<ext4_view::File>> {
        let Some(end) = self.followed(path, true)? else { return Ok(None) };
        found(self.system.open(&*end), path)
    }

    /// Reads a file's first bytes, link followed, as many as fit; `None` if there is no such file.
    pub fn read_start(&self, path: &str, buffer: &mut [u8]) -> anyhow::Result<Option<usize>> {
        let Some(mut file) = self.open_file(path)? else { return Ok(None) };
        let mut filled = 0;
        while filled < buffer.len() {
            match file.read_bytes(&mut buffer[filled..]).with_context(|| reading(path))? {
                0 => break,
                count => filled += count,
            }
        }
        Ok(Some(filled))
    }
}

impl Tree for Root {
    fn copy_to(&self, path: &str, sink: &mut dyn Write) -> anyhow::Result<Option<u64>> {
        let Some(mut file) = self.open_file(path)? else { return Ok(None) };
        // what is longer is a hole for the most part, which would be read for hours
        let (length, most) = (file.metadata().len(), self.length);
        ensure!(
            length <= most,
            "{}: it is said to have {length} bytes, and its partition has {most}",
            reading(path)
        );
        let mut buffer = [0; 16 * 1024];
        let mut total = 0;
        loop {
            let count = file.read_bytes(&mut buffer).with_context(|| reading(path))?;
            if count == 0 {
                return Ok(Some(total));
            }
            sink.write_all(&buffer[..count]).with_context(|| reading(path))?;
            total += count as u64;
        }
    }

    fn metadata(&self, path: &str) -> anyhow::Result<Option<Metadata>> {
        let Some(path) = self.followed(path, false)? else { return Ok(None) };
        let Some(metadata) = found(self.system.symlink_metadata(&*path), &path)? else {
            return Ok(None);
        };
        let kind = match metadata.file_type() {
            FileType::Regular => Kind::File,
            FileType::Directory => Kind::Folder,
            FileType::Symlink => Kind::Link(self.link(&path, metadata.len())?),
            _ => Kind::Special,
        };
        Ok(Some(Metadata {
            kind,
            mode: metadata.mode(),
            uid: metadata.uid(),
            gid: metadata.gid(),
            size: metadata.len(),
            modified: Some(metadata.modified().seconds()),
        }))
    }

    fn list(&self, folder: &str) -> anyhow::Result<Vec<String>> {
        let Some(end) = self.followed(folder, true)? else { return Ok(Vec::new()) };
        let Some(entries) = found(self.system.read_dir(&*end), folder)? else {
            return Ok(Vec::new());
        };
        let mut names = entries
            .map(|entry| entry.map(|entry| entry.file_name().display().to_string()))
            .filter(|name| !matches!(name.as_deref(), Ok("." | "..")))
            .collect::<Result<Vec<_>, _>>()
            .with_context(|| reading(folder))?;
        names.sort_unstable();
        Ok(names)
    }
}

fn reading(path: &str) -> String {
    format!("reading `{path}` of the root partition")
}

/// The parts of a path, the last one first.
fn parts(path: &str) -> Vec<String> {
    let parts = path.split('/').filter(|part| !part.is_empty() && *part != ".");
    parts.rev().map(str::to_owned).collect()
}

/// A path from the root on: `ext4-view` takes no other.
fn joined(parts: &[String]) -> String {
    format!("/{}", parts.join("/"))
}

/// Nothing there is an answer, every other trouble an error.
fn found<T>(result: Result<T, Ext4Error>, path: &str) -> anyhow::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Ext4Error::NotFound | Ext4Error::NotADirectory) => Ok(None),
        Err(error) => Err(error).with_context(|| reading(path)),
    }
}
