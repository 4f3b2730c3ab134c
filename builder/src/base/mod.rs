//! The image to start from: found or made, and what is read out of it.
//!
//! A base is an image file plus facts. The facts are read from the file, never guessed from its name:
//! [`facts`] says what there is to know, [`mbr`], [`superblock`], [`root`] and [`boot`] read it. The
//! same readers open a finished image, so what was written is read back by other code than wrote it.
//!
//! A named base is made by its [`recipe`] once and kept in the [`cache`].

pub mod boot;
pub mod cache;
pub mod check;
pub mod facts;
pub mod firmware;
pub mod make;
pub mod mbr;
pub mod packages;
pub mod partition;
pub mod recipe;
pub mod root;
pub mod superblock;
pub mod tree;

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail, ensure};

use boot::Boot;
use facts::Facts;
use mbr::{Mbr, Partition};
use packages::Package;
use partition::Window;
use root::Root;
use tree::Tree;

use crate::unpack::Format;

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
}

impl Base {
    /// Opens an image and reads its facts.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        Self::sniff(path).with_context(|| format!("reading the image {}", path.display()))
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

    fn sniff(path: &Path) -> anyhow::Result<Self> {
        let file = Arc::new(open(path)?);
        let facts = Facts::read(&file)?;
        Ok(Self { path: path.to_owned(), facts, file, holder: None })
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
        Root::open(window(&self.file, &self.facts.table.partitions[1]))
    }

    /// Its boot file system.
    pub fn boot(&self) -> anyhow::Result<Boot> {
        Boot::open(window(&self.file, &self.facts.table.partitions[0]))
    }

    /// The packages installed in it, as dpkg's status file has them.
    pub fn packages(&self) -> anyhow::Result<Vec<Package>> {
        let status = self.root()?.read_text("/var/lib/dpkg/status")?;
        Ok(status.map(|status| packages::parse(&status)).unwrap_or_default())
    }
}

/// Opens an image, after a look at whether it can be one.
fn open(path: &Path) -> anyhow::Result<File> {
    let mut file = File::open(path).context("opening it")?;
    ensure!(file.metadata()?.is_file(), "it is not a file");
    let mut magic = Vec::with_capacity(8);
    file.by_ref().take(8).read_to_end(&mut magic).context("reading its first bytes")?;
    let format = Format::of(&magic);
    if format != Format::Plain {
        bail!("it is compressed ({}): it can be a base, and is no card as it is", format.name());
    }
    Ok(file)
}

fn window(file: &Arc<File>, partition: &Partition) -> Window {
    Window::new(Arc::clone(file), partition.offset(), partition.length())
}

/// Reads the partition table and checks that it is the one that every Raspberry Pi image has.
fn table(file: &File) -> anyhow::Result<Mbr> {
    let table = Mbr::read(&mut &*file)?;
    let [boot, root, ..] = &table.partitions;
    ensure!(
        !boot.is_empty() && !root.is_empty(),
        "a boot and a root partition are wanted; it has {table}"
    );
    ensure!(is_fat(boot.kind), "the first partition is not FAT: its kind is {:#04x}", boot.kind);
    ensure!(root.kind == 0x83, "the second partition is not Linux: its kind is {:#04x}", root.kind);
    let length = file.metadata()?.len();
    for (number, partition) in
        (1..).zip(&table.partitions).filter(|(_, partition)| !partition.is_empty())
    {
        let end = partition.offset() + partition.length();
        ensure!(
            end <= length,
            "partition {number} ends at {end}, beyond the file's {length} bytes: it was cut short"
        );
    }
    Ok(table)
}

/// FAT16, FAT16 LBA, FAT32 and FAT32 LBA.
fn is_fat(kind: u8) -> bool {
    matches!(kind, 0x06 | 0x0b | 0x0c | 0x0e)
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |digits, byte| {
        digits + &format!("{byte:02x}")
    })
}

#[cfg(test)]
mod tests;
