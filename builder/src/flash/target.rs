//! What is written to: a disk, or a file that stands for one.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::num::NonZero;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail, ensure};
use rustix::fs::{Advice, OFlags, fadvise, ioctl_blksszget};
use rustix::io::Errno;

use super::disk::Disk;
use super::refuse::{self, Refusal};
use super::system::System;
use crate::fault::{Lacking, Usage};
use crate::image::next_data;

/// A card, as far as writing and reading it goes. A trait, so that one can be made that has every fault.
pub trait Target: Send {
    /// How many bytes it says that it has.
    fn length(&self) -> u64;

    /// Of how many bytes, and at multiples of how many, reads and writes must be.
    fn unit(&self) -> usize;

    /// Writes some bytes, and says how many.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize>;

    /// Reads some bytes, from the card and from no memory of what was written, and says how many.
    fn read_at(&mut self, offset: u64, bytes: &mut [u8]) -> io::Result<usize>;

    /// Waits until the card has what was written.
    fn flush(&mut self) -> io::Result<()>;

    /// Is it known, without reading it, that there are only zeros?
    fn is_hole(&self, _offset: u64, _length: u64) -> bool {
        false
    }

    /// Is it still in this machine?
    fn is_there(&self) -> bool {
        true
    }
}

/// A disk or a file, opened for us alone.
#[derive(Debug)]
pub struct Opened {
    file: File,
    length: u64,
    unit: usize,
    /// Do reads and writes go past the page cache?
    direct: bool,
    /// Bytes written since the last flush.
    pending: u64,
    /// What sysfs has of the disk; none for a file.
    folder: Option<PathBuf>,
}

/// The most that waits in the page cache, where it cannot be gone past.
const PENDING: u64 = 64 << 20;

impl Opened {
    /// Opens a disk, which nothing else may be using.
    ///
    /// Past the page cache: progress is what the card has, a card that was pulled out is noticed where it was,
    /// and what is read back comes from the card.
    pub fn disk(path: &Path, disk: &Disk, system: &System) -> anyhow::Result<Self> {
        let open = |flags: OFlags| {
            let flags =
                i32::try_from((OFlags::EXCL | flags).bits()).expect("a flag of open is no sign");
            File::options().read(true).write(true).custom_flags(flags).open(path)
        };
        let (file, direct) = match open(OFlags::DIRECT) {
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                (open(OFlags::empty()), false)
            }
            opened => (opened, true),
        };
        let mut file = file.map_err(|error| unopened(path, error))?;
        ensure!(
            refuse::number(&file.metadata()?) == disk.number,
            "{} is another disk than it was a moment ago",
            path.display()
        );
        let length = file.seek(SeekFrom::End(0)).context("asking for its length")?;
        let unit = if direct { sector(&file)? } else { 1 };
        let folder = Some(system.sys.join("block").join(&disk.name));
        Ok(Self { file, length, unit, direct, pending: 0, folder })
    }

    /// Opens a file that stands for a card: it is there, and as long as the card would be.
    pub fn file(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        match path.metadata() {
            Ok(metadata) if metadata.is_file() => {}
            Ok(_) => bail!(Usage(format!("{shown} is no regular file: leave out --file"))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => bail!(Usage(format!(
                "there is no file {shown}; make it as long as a card, as in `truncate --size 8G {shown}`"
            ))),
            Err(error) => return Err(error).with_context(|| format!("looking at {shown}")),
        }
        let opened = File::options().read(true).write(true).open(path);
        let file = opened.with_context(|| format!("opening {shown} for writing"))?;
        let metadata = file.metadata()?;
        let length = metadata.len();
        Ok(Self { file, length, unit: 1, direct: false, pending: 0, folder: None })
    }

    /// The open file's metadata.
    pub(super) fn metadata(&self) -> io::Result<std::fs::Metadata> {
        self.file.metadata()
    }
}

/// The disk's own sectors: 512 bytes, or 4096.
fn sector(file: &File) -> anyhow::Result<usize> {
    let size = ioctl_blksszget(file).context("asking for the length of its sectors")?;
    let size = usize::try_from(size).unwrap_or_default();
    ensure!(
        size.is_power_of_two() && size <= super::buffer::ALIGNMENT,
        "its sectors have {size} bytes, which is not provided for"
    );
    Ok(size)
}

/// Why a disk cannot be opened, and what to do.
fn unopened(path: &Path, error: io::Error) -> anyhow::Error {
    let path = path.display();
    match Errno::from_io_error(&error) {
        Some(Errno::ACCESS | Errno::PERM) => anyhow!(Lacking(format!(
            "you may not write to {path}: run this with sudo, or as a member of the group that `ls -l {path}` shows"
        ))),
        Some(Errno::BUSY) => anyhow!(
            "{path} is in use: something has mounted it or holds it, as a desktop does with a new card; unmount it, and try again"
        ),
        Some(Errno::ROFS) => anyhow!(Refusal::ReadOnly { device: path.to_string() }),
        Some(Errno::NOMEDIUM) => {
            anyhow!(Refusal::Empty { device: path.to_string() })
        }
        _ => anyhow!(error).context(format!("opening {path} for writing")),
    }
}

impl Target for Opened {
    fn length(&self) -> u64 {
        self.length
    }

    fn unit(&self) -> usize {
        self.unit
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        // a file stands for a card, and is no slow one: the kernel may write it out as it likes
        if self.folder.is_some() && !self.direct && self.pending >= PENDING {
            self.file.sync_data()?;
            self.pending = 0;
        }
        let written = self.file.write_at(bytes, offset)?;
        self.pending += written as u64;
        Ok(written)
    }

    fn read_at(&mut self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(bytes, offset)?;
        if !self.direct {
            // the next bytes are fetched while these are looked at
            let length = NonZero::new(2 * read as u64);
            fadvise(&self.file, offset + read as u64, length, Advice::WillNeed)?;
        }
        Ok(read)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        self.pending = 0;
        if !self.direct {
            // what has been written out is read back from the disk, not from the page cache
            fadvise(&self.file, 0, None, Advice::DontNeed)?;
        }
        Ok(())
    }

    fn is_hole(&self, offset: u64, length: u64) -> bool {
        // a disk has none; what it tells of itself is not to be trusted
        self.folder.is_none()
            && matches!(next_data(&self.file, offset, self.length), Ok(next) if next.is_none_or(|(start, _)| start >= offset + length))
    }

    fn is_there(&self) -> bool {
        let Some(folder) = &self.folder else { return true };
        // a reader from which the card was taken stays, and says that it has no sectors
        std::fs::read_to_string(folder.join("size")).is_ok_and(|size| size.trim() != "0")
    }
}
