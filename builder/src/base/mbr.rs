//! The partition table in a card's first sector.
//!
//! ```text
//!   0  boot code (a Raspberry Pi's firmware runs none)
//! 440  disk id, from which the kernel makes PARTUUID=<id>-<partition>
//! 446  four entries of 16 bytes: status, first CHS, kind, last CHS, start, sectors
//! 510  55 AA
//! ```
//!
//! Raspberry Pi's boot ROM and its own images use this table; what it may protect in its stead is in `gpt`. Cylinders,
//! heads and sectors (CHS) have not been looked at for decades, but partition tools complain when they are wrong.

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};

use super::little_endian::word;

/// Bytes of a sector, as every card and every image has them.
pub const SECTOR: u64 = 512;

/// The same, as a length in memory.
pub(super) const SECTOR_BYTES: usize = 512;
const DISK_ID: usize = 440;
const ENTRIES: usize = 446;
const ENTRY: usize = 16;
const SIGNATURE: usize = 510;
const PROTECTIVE: u8 = 0xEE;

/// Why a first sector holds no partition table that this program reads.
#[derive(Debug, thiserror::Error)]
pub enum MbrError {
    /// The file ends before its first sector does.
    #[error("shorter than one sector of {SECTOR} bytes: this is not a disk image")]
    TooShort,
    /// The signature is missing.
    #[error("no partition table: the first sector does not end in 55 AA")]
    NoSignature,
    /// An entry's status byte has a meaning that is not defined.
    #[error("the first sector is no partition table: entry {number} begins with {status:#04x}")]
    Status {
        /// Which entry, from 1.
        number: u8,
        /// The byte.
        status: u8,
    },
    /// The sector could not be read.
    #[error("reading the partition table: {0}")]
    Read(#[from] io::Error),
}

/// One entry of the table. An unused one has kind 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Partition {
    /// Marked as the one to boot from.
    pub bootable: bool,
    /// The type byte: 0x0c is FAT32, 0x83 Linux.
    pub kind: u8,
    /// The first sector.
    pub start_sector: u32,
    /// How many sectors.
    pub sectors: u32,
}

impl Partition {
    /// Where it begins, in bytes.
    pub fn offset(&self) -> u64 {
        u64::from(self.start_sector) * SECTOR
    }

    /// How long it is, in bytes.
    pub fn length(&self) -> u64 {
        u64::from(self.sectors) * SECTOR
    }

    /// Is the entry unused?
    pub fn is_empty(&self) -> bool {
        self.kind == 0 || self.sectors == 0
    }

    fn decode(number: u8, bytes: &[u8]) -> Result<Self, MbrError> {
        match bytes[0] {
            0 | 0x80 => {}
            status => return Err(MbrError::Status { number, status }),
        }
        Ok(Self {
            bootable: bytes[0] == 0x80,
            kind: bytes[4],
            start_sector: word(bytes, 8),
            sectors: word(bytes, 12),
        })
    }

    fn encode(&self, bytes: &mut [u8]) {
        if self.is_empty() {
            return;
        }
        bytes[0] = if self.bootable { 0x80 } else { 0 };
        bytes[1..4].copy_from_slice(&chs(self.start_sector));
        bytes[4] = self.kind;
        bytes[5..8].copy_from_slice(&chs(self.start_sector.saturating_add(self.sectors - 1)));
        bytes[8..12].copy_from_slice(&self.start_sector.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.sectors.to_le_bytes());
    }
}

/// A sector's number in the old geometry of 255 heads and 63 sectors; what lies beyond it is written
/// as its last address.
fn chs(sector: u32) -> [u8; 3] {
    const HEADS: u32 = 255;
    const TRACK: u32 = 63;
    let cylinder = sector / (HEADS * TRACK);
    if cylinder > 1023 {
        return [254, 255, 255];
    }
    let [head, in_track] =
        [sector / TRACK % HEADS, sector % TRACK + 1].map(|part| part.to_le_bytes()[0]);
    let [low, high, ..] = cylinder.to_le_bytes();
    [head, in_track | (high << 6), low]
}

/// A partition table of four primary partitions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mbr {
    /// The number from which the kernel makes each partition's PARTUUID.
    pub disk_id: u32,
    /// The entries, used or not.
    pub partitions: [Partition; 4],
}

impl Mbr {
    /// Reads the table of a disk or an image of one.
    pub fn read(disk: &mut (impl Read + Seek)) -> Result<Self, MbrError> {
        let mut sector = [0; SECTOR_BYTES];
        disk.seek(SeekFrom::Start(0))?;
        disk.read_exact(&mut sector).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => MbrError::TooShort,
            _ => MbrError::Read(error),
        })?;
        Self::decode(&sector)
    }

    /// Reads the table out of a first sector.
    pub fn decode(sector: &[u8; SECTOR_BYTES]) -> Result<Self, MbrError> {
        if sector[SIGNATURE..] != [0x55, 0xAA] {
            return Err(MbrError::NoSignature);
        }
        let mut mbr = Self { disk_id: word(sector, DISK_ID), ..Self::default() };
        for ((number, slot), bytes) in
            (1..).zip(&mut mbr.partitions).zip(sector[ENTRIES..SIGNATURE].chunks_exact(ENTRY))
        {
            *slot = Partition::decode(number, bytes)?;
        }
        Ok(mbr)
    }

    /// The first sector with this table in it, and no boot code.
    pub fn encode(&self) -> [u8; SECTOR_BYTES] {
        let mut sector = [0; SECTOR_BYTES];
        sector[DISK_ID..DISK_ID + 4].copy_from_slice(&self.disk_id.to_le_bytes());
        for (partition, bytes) in
            self.partitions.iter().zip(sector[ENTRIES..SIGNATURE].chunks_exact_mut(ENTRY))
        {
            partition.encode(bytes);
        }
        sector[SIGNATURE..].copy_from_slice(&[0x55, 0xAA]);
        sector
    }

    /// Is it there to protect a GPT? It may show some of the GPT's partitions beside (a hybrid); to the kernel, which looks
    /// for an entry that begins where a GPT does, it is not the table then.
    pub fn protects_gpt(&self) -> bool {
        let mut entries = self.partitions.iter();
        entries.any(|partition| partition.kind == PROTECTIVE && partition.start_sector == 1)
    }

    /// What the kernel calls partition `number`, counted from 1: the value of `PARTUUID=`.
    pub fn part_uuid(&self, number: u32) -> String {
        format!("{:08x}-{number:02x}", self.disk_id)
    }
}

impl fmt::Display for Mbr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "disk id {:08x}", self.disk_id)?;
        for (number, partition) in
            (1..).zip(&self.partitions).filter(|(_, partition)| !partition.is_empty())
        {
            let Partition { kind, start_sector, sectors, .. } = partition;
            write!(
                f,
                "; partition {number}: kind {kind:#04x}, {sectors} sectors from {start_sector}"
            )?;
        }
        Ok(())
    }
}
