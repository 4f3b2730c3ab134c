//! Writes an image to a card, and reads it back.
//!
//! ```text
//! image ─ unpack, block map ─► Source ─► pieces ─► Target: a disk, opened for us alone
//!                                          │          │
//!                                       prints ◄── compared
//! ```
//!
//! [`disk`] and [`refuse`] say what may be written; [`source`] what is, [`write`] and [`verify`] do it, [`damage`]
//! names what is wrong with a card.
//!
//! The first block holds the partition table, without which nothing starts from a card. It is wiped before
//! anything else is written, and written when all the rest is there and has been read back: a card that was not
//! finished, for whatever reason, does not look as if it was.

mod bmap;
mod buffer;
mod bytes;
mod damage;
mod disk;
mod refuse;
mod source;
mod system;
mod target;
mod verify;
mod write;
mod written;

use std::path::Path;

use anyhow::{Context, bail};

pub use damage::{Damage, Differing};
pub use disk::{Bus, Disk, Use, Volume};
pub use refuse::Refusal;
pub use source::Source;
pub use system::System;
pub use target::{Opened, Target};

use crate::interrupt;
use crate::progress::{Watch, Work};
use crate::tool::Tool;
use written::BLOCK;

#[cfg(test)]
mod tests;

/// What is to be written to.
#[derive(Clone, Copy, Debug)]
pub enum Device<'a> {
    /// A disk, by its path.
    Disk {
        /// The path.
        path: &'a Path,
        /// May it be one that does not look like a card?
        may_be_no_card: bool,
    },
    /// A file that stands for a card.
    File(&'a Path),
}

/// A card that may be written, opened.
#[derive(Debug)]
pub struct Card {
    /// The disk; none for a file.
    pub disk: Option<Disk>,
    /// Its path.
    pub name: String,
    opened: Opened,
}

impl Card {
    /// Opens what an image may be written to, and refuses everything else. Nothing is written yet.
    pub fn open(device: Device, source: &Source, system: &System) -> anyhow::Result<Self> {
        let card = match device {
            Device::Disk { path, may_be_no_card } => {
                let disk = refuse::disk(path, system)?;
                disk.check(may_be_no_card)?;
                check_length(&disk.path(), disk.length, source)?;
                let opened = Opened::disk(path, &disk, system)?;
                Self { name: disk.path(), disk: Some(disk), opened }
            }
            Device::File(path) => {
                let opened = Opened::file(path)?;
                Self { name: path.display().to_string(), disk: None, opened }
            }
        };
        check_length(&card.name, card.opened.length(), source)?;
        if source.is_in(&card.opened.metadata()?) {
            bail!("{} is the image itself", card.name);
        }
        Ok(card)
    }

    /// Writes the image, reads it back if so wanted, and lets the kernel have a look at the new partitions.
    /// Returns how many bytes were written or found to be zero as they should.
    pub fn flash(mut self, source: Source, verify: bool, watch: &dyn Watch) -> anyhow::Result<u64> {
        let length = flash(source, &mut self.opened, &self.name, verify, watch)?;
        // the kernel takes a new table only from a disk that nobody has open
        drop(self.opened);
        if self.disk.is_some() {
            let reread = Tool::new("blockdev", "reading the new partition table");
            // who takes the card out and puts it in again gets the same
            let _ = reread.arg("--rereadpt").arg(&self.name).output();
        }
        Ok(length)
    }
}

fn check_length(device: &str, length: u64, source: &Source) -> Result<(), Refusal> {
    match source.length() {
        Some(image) if image > length => {
            Err(Refusal::TooSmall { device: device.to_owned(), length, image })
        }
        _ => Ok(()),
    }
}

/// Writes an image to a target: the first block last. See the module's text.
pub fn flash(
    source: Source,
    target: &mut dyn Target,
    device: &str,
    verify: bool,
    watch: &dyn Watch,
) -> anyhow::Result<u64> {
    wipe(target)?;
    let total = source.total();
    let written = {
        let work = Work::begin(watch, &format!("writing to {device}"), total);
        write::all(source, target, device, verify, &work).context("writing the image")?
    };
    if verify {
        let work = Work::begin(watch, &format!("reading back {device}"), Some(written.length()));
        verify::all(&written, target, &work).context("reading back what was written")?;
    }
    interrupt::check()?;
    let padded = written.head.len().next_multiple_of(target.unit());
    let mut head = buffer::Buffer::new(padded);
    head[..written.head.len()].copy_from_slice(&written.head);
    damage::write(target, 0, &head)?;
    damage::flush(target, 0)?;
    if verify {
        verify::head(&written.head, target).context("reading back what was written")?;
    }
    Ok(written.length())
}

/// Nothing starts from a card whose first block is empty.
fn wipe(target: &mut dyn Target) -> Result<(), Damage> {
    damage::write(target, 0, &buffer::Buffer::new(BLOCK))?;
    damage::flush(target, 0)
}
