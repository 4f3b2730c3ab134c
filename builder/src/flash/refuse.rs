//! Which disks are not written.

use std::fmt;
use std::fs::Metadata;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use anyhow::{Context, bail};
use rustix::fs::{major, minor};

use super::damage::Size;
use super::disk::{Disk, Use};
use super::system::System;
use crate::fault::Usage;

/// Why a disk is not written, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// A part of a disk.
    #[error("{device} is a partition, and an image has its own: name the whole disk, {disk}")]
    Partition {
        /// The partition.
        device: String,
        /// The disk it is on.
        disk: String,
    },
    /// No card is in it.
    #[error("there is no card in {device}")]
    Empty {
        /// The device.
        device: String,
    },
    /// What this machine runs from.
    #[error("{device} is a disk of this system, which is never written: {}", Uses(uses))]
    System {
        /// The device.
        device: String,
        /// What is on it.
        uses: Vec<Use>,
    },
    /// Something is mounted.
    #[error("{device} is in use: {}; first `umount {}`", Uses(uses), Devices(uses))]
    Mounted {
        /// The device.
        device: String,
        /// What is on it.
        uses: Vec<Use>,
    },
    /// Protected.
    #[error(
        "{device} is read-only: move the slide on the card, or on its adapter, away from LOCK; some readers protect every card"
    )]
    ReadOnly {
        /// The device.
        device: String,
    },
    /// A disk, by all that can be seen.
    #[error(
        "{device} does not look like a card ({description}): it cannot be taken out, and is neither in a slot for cards nor at USB; --not-a-card writes to it nevertheless"
    )]
    NotACard {
        /// The device.
        device: String,
        /// What it is.
        description: String,
    },
    /// The image does not fit.
    #[error(
        "{device} is too small for the image, by {}: it has {}, the image {}",
        Size(image - length), Exactly(*length), Exactly(*image)
    )]
    TooSmall {
        /// The device.
        device: String,
        /// How many bytes it has.
        length: u64,
        /// How many bytes the image has.
        image: u64,
    },
}

struct Exactly(u64);

impl fmt::Display for Exactly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", Size(self.0), self.0)
    }
}

/// What is on a disk, in words.
pub(super) struct Uses<'a>(pub(super) &'a [Use]);

impl fmt::Display for Uses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, used) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            match used {
                Use::Mounted { device, at } => write!(f, "{device} is mounted at {at}")?,
                Use::Swap { device } => write!(f, "{device} is swap")?,
                Use::Part { device, of } => write!(f, "{device} is a part of {of}")?,
            }
        }
        Ok(())
    }
}

struct Devices<'a>(&'a [Use]);

impl fmt::Display for Devices<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut devices: Vec<&str> = self.0.iter().map(Use::device).collect();
        devices.dedup();
        for (index, device) in devices.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(f, "{space}/dev/{device}")?;
        }
        Ok(())
    }
}

/// The disk that a path names, by its device's number: the path may be a link, as those of udev are.
pub(super) fn disk(path: &Path, system: &System) -> anyhow::Result<Disk> {
    let device = path.display();
    let metadata = match path.metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            bail!(Usage(format!("there is no {device}{}", meant(path, system))))
        }
        metadata => metadata.with_context(|| format!("looking at {device}"))?,
    };
    let kind = metadata.file_type();
    if kind.is_file() {
        bail!(Usage(format!("{device} is a file; --file writes to a file that stands for a card")));
    }
    if !kind.is_block_device() {
        bail!(Usage(format!("{device} is no disk")));
    }
    let number = number(&metadata);
    for disk in Disk::all(system).context("asking the system for its disks")? {
        if disk.number == number {
            return Ok(disk);
        }
        if disk.volumes.iter().any(|volume| volume.number == number) {
            let disk = format!("/dev/{}", disk.name);
            bail!(Refusal::Partition { device: device.to_string(), disk });
        }
    }
    bail!("the system knows no disk with the number {number}, which {device} has")
}

/// The number of the device that a file is.
pub(super) fn number(metadata: &Metadata) -> String {
    format!("{}:{}", major(metadata.rdev()), minor(metadata.rdev()))
}

/// A hint for a name without its folder.
fn meant(path: &Path, system: &System) -> String {
    let known = path.to_str().is_some_and(|name| {
        !name.is_empty() && !name.contains('/') && system.sys.join("block").join(name).exists()
    });
    if known { format!("; did you mean /dev/{}?", path.display()) } else { String::new() }
}

impl Disk {
    /// Its path.
    pub fn path(&self) -> String {
        format!("/dev/{}", self.name)
    }

    /// Refuses a disk that is not to be written.
    pub fn check(&self, may_be_no_card: bool) -> Result<(), Refusal> {
        let device = self.path();
        if self.is_of_the_system() {
            return Err(Refusal::System { device, uses: self.uses.clone() });
        }
        if self.length == 0 {
            return Err(Refusal::Empty { device });
        }
        if !self.uses.is_empty() {
            return Err(Refusal::Mounted { device, uses: self.uses.clone() });
        }
        if self.read_only {
            return Err(Refusal::ReadOnly { device });
        }
        if !may_be_no_card && !self.is_card() {
            return Err(Refusal::NotACard { device, description: self.description() });
        }
        Ok(())
    }

    /// Its size, and what its maker calls it.
    pub fn description(&self) -> String {
        let size = Size(self.length).to_string();
        if self.model.is_empty() { size } else { format!("{size}, {}", self.model) }
    }

    /// What is on it, as far as it is known.
    pub fn contents(&self) -> String {
        if self.volumes.is_empty() {
            return "empty, or of an unknown kind".to_owned();
        }
        let volumes = self.volumes.iter().map(|volume| {
            let label = volume.label.as_deref().unwrap_or(&volume.name);
            let kind = volume.kind.as_ref().map_or_else(String::new, |kind| format!(" ({kind})"));
            format!("{label}{kind}")
        });
        let volumes = volumes.collect::<Vec<_>>().join(", ");
        if self.uses.is_empty() { volumes } else { format!("{volumes}; {}", Uses(&self.uses)) }
    }
}

impl Use {
    fn device(&self) -> &str {
        match self {
            Self::Mounted { device, .. } | Self::Swap { device } | Self::Part { device, .. } => {
                device
            }
        }
    }
}
