//! The image to start from: found or made, and what is read out of it.
//!
//! A base is an image file plus facts. The facts are read from the file, never guessed from its name:
//! [`facts`] says what there is to know, [`table`], [`superblock`], [`root`] and [`boot`] read it. The
//! same readers open a finished image, so what was written is read back by other code than wrote it.
//!
//! A named base is made by its [`recipe`] once and kept in the [`cache`].

pub mod boot;
pub mod cache;
pub mod check;
pub mod facts;
pub(crate) mod fat;
pub mod firmware;
pub mod gpt;
pub mod kernels;
mod little_endian;
pub mod make;
pub mod mbr;
pub mod packages;
pub mod partition;
pub mod recipe;
pub mod root;
pub mod superblock;
pub mod table;
pub mod tree;

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, ensure};
use tempfile::NamedTempFile;

use boot::Boot;
use facts::Facts;
use kernels::Kernel;
use packages::Package;
use partition::Window;
use root::Root;
use table::Partition;
use tree::Tree;

use crate::unpack::{self, Format};

/// An image to start from, and what is known of it. A finished image is one too.
#[derive(Clone, Debug)]
pub struct Base {
    /// Where it lies.
    pub path: PathBuf,
    /// What was read out of it.
    pub facts: Facts,
    file: Arc<File>,
    /// The lock that keeps it in the cache, if it lies there.
    holder: Option<Arc<File>>,
    /// The file itself, if it is there for a while only: locked, and removed at last.
    temporary: Option<Arc<NamedTempFile>>,
}

impl Base {
    /// Opens an image and reads its facts.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let open = || Self::sniff(unpack::file(path)?, path);
        open().with_context(|| format!("reading the image {}", path.display()))
    }

    /// The image at `path` that is open already: what was found out about it stays true of it.
    pub(crate) fn of(file: File, path: &Path) -> anyhow::Result<Self> {
        Self::sniff(file, path).with_context(|| format!("reading the image {}", path.display()))
    }

    /// Opens an image of the cache, which stays there as long as this, or a clone of it, lives; none if it was removed
    /// meanwhile.
    pub(crate) fn held(path: &Path) -> anyhow::Result<Option<Self>> {
        let file = match File::open(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            file => file.with_context(|| format!("opening {}", path.display()))?,
        };
        // whoever removes it locks it first, alone
        file.lock_shared().with_context(|| format!("locking {}", path.display()))?;
        let is_there = path.metadata().is_ok_and(|it| {
            file.metadata().is_ok_and(|ours| (ours.dev(), ours.ino()) == (it.dev(), it.ino()))
        });
        if !is_there {
            return Ok(None);
        }
        let mut base = Self::open(path)?;
        base.holder = Some(Arc::new(file));
        Ok(Some(base))
    }

    /// Opens an image that nobody but us has, and that is gone with the last clone of this. `origin` is what it was made of.
    pub(crate) fn temporary(image: NamedTempFile, origin: &Path) -> anyhow::Result<Self> {
        let file = image.reopen().context("opening a temporary file")?;
        let mut base = Self::sniff(file, image.path())
            .with_context(|| format!("reading the image {}", origin.display()))?;
        base.temporary = Some(Arc::new(image));
        Ok(base)
    }

    fn sniff(file: File, path: &Path) -> anyhow::Result<Self> {
        let format = unpack::format(&file)?;
        ensure!(
            format == Format::Plain,
            "it is compressed ({}): it can be a base, and is no card as it is",
            format.name()
        );
        let file = Arc::new(file);
        let facts = Facts::read(&file)?;
        Ok(Self { path: path.to_owned(), facts, file, holder: None, temporary: None })
    }

    /// A partition of it.
    pub(crate) fn window(&self, partition: &Partition) -> Window {
        window(&self.file, partition)
    }

    /// The image, open for reading.
    pub(crate) fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// Its root file system.
    pub fn root(&self) -> anyhow::Result<Root> {
        Root::open(window(&self.file, &self.facts.table.root))
    }

    /// Its boot file system.
    pub fn boot(&self) -> anyhow::Result<Boot> {
        Boot::open(window(&self.file, &self.facts.table.boot))
    }

    /// The kernels whose modules are in it.
    pub fn kernels(&self) -> anyhow::Result<Vec<Kernel>> {
        kernels::read(&self.root()?)
    }

    /// The packages installed in it, as dpkg's status file has them.
    pub fn packages(&self) -> anyhow::Result<Vec<Package>> {
        let status = self.root()?.read_text("/var/lib/dpkg/status")?;
        Ok(status.map(|status| packages::parse(&status)).unwrap_or_default())
    }
}

fn window(file: &Arc<File>, partition: &Partition) -> Window {
    Window::new(Arc::clone(file), partition.offset(), partition.length())
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |digits, byte| {
        digits + &format!("{byte:02x}")
    })
}

#[cfg(test)]
mod tests;
