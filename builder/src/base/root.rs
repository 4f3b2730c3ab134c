//! The root partition, read through `ext4-view`: a reader written apart from e2fsprogs, which writes.
//!
//! It validates metadata checksums as it reads, so a read-back is also a check.

use std::fmt;
use std::io::Write;

use anyhow::Context;
use ext4_view::{Ext4, Ext4Error, FileType};

use super::partition::Window;
use super::tree::{Kind, Metadata, Tree};

/// The root file system of an image, read-only.
#[derive(Clone)]
pub struct Root(Ext4);

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Root({})", self.0.uuid())
    }
}

impl Root {
    /// Opens the file system that fills `window`.
    pub fn open(window: Window) -> anyhow::Result<Self> {
        Ext4::load(Box::new(window)).map(Self).context("reading the root file system")
    }

    /// Where a path ends when every link on the way is followed; `None` if it ends nowhere.
    pub fn resolve(&self, path: &str) -> anyhow::Result<Option<String>> {
        let resolved = found(self.0.canonicalize(&absolute(path)), path)?;
        Ok(resolved.map(|path| path.display().to_string()))
    }

    /// Reads a file's first bytes, link followed, as many as fit; `None` if there is no such file.
    pub fn read_start(&self, path: &str, buffer: &mut [u8]) -> anyhow::Result<Option<usize>> {
        let Some(mut file) = found(self.0.open(&absolute(path)), path)? else { return Ok(None) };
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
        let Some(mut file) = found(self.0.open(&absolute(path)), path)? else { return Ok(None) };
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
        let path = absolute(path);
        let Some(metadata) = found(self.0.symlink_metadata(&path), &path)? else { return Ok(None) };
        let kind = match metadata.file_type() {
            FileType::Regular => Kind::File,
            FileType::Directory => Kind::Folder,
            FileType::Symlink => {
                let target = self.0.read_link(&path).with_context(|| reading(&path))?;
                Kind::Link(target.display().to_string())
            }
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
        let Some(entries) = found(self.0.read_dir(&absolute(folder)), folder)? else {
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

/// The same path from the root on: `ext4-view` takes no other.
fn absolute(path: &str) -> String {
    format!("/{}", path.trim_start_matches('/'))
}

/// Nothing there is an answer, every other trouble an error.
fn found<T>(result: Result<T, Ext4Error>, path: &str) -> anyhow::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Ext4Error::NotFound | Ext4Error::NotADirectory) => Ok(None),
        Err(error) => Err(error).with_context(|| reading(path)),
    }
}
