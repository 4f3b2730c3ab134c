//! The partition table in a card's first sector.
//!
//! ```text
//!   0  boot code (a Raspberry Pi's firmware runs none)
//! 440  disk id, from which the kernel makes PARTUUID=<id>-<partition>
//! 446  four entries of 16 bytes: status, first CHS, kind, last CHS, start, sectors
//! 510  55 AA
//! ```
//!
//! Raspberry Pi's boot ROM and every image for it use this table; cylinders, heads and sectors (CHS)
//! have not been looked at for decades, but partition tools complain when they are wrong.

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};

/// Bytes of a sector, as every card and every image has them.
pub const SECTOR: u64 = 512;

const SECTOR_BYTES: usize = 512;
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
    /// The table is there to protect a GPT.
    #[error("GPT tables are not read yet")]
    Gpt,
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
        if bytes[4] == PROTECTIVE {
            return Err(MbrError::Gpt);
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

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
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

    /// What the kernel calls partition `number`, counted from 1: the value of `PARTUUID=`.
    pub fn part_uuid(&self, number: u8) -> String {
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

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::tool::Tool;

    fn raspberry_pi() -> Mbr {
        let boot =
            Partition { bootable: true, kind: 0x0c, start_sector: 16_384, sectors: 1_048_576 };
        let root =
            Partition { bootable: false, kind: 0x83, start_sector: 1_064_960, sectors: 3_129_344 };
        Mbr {
            disk_id: 0x00c0_ffee,
            partitions: [boot, root, Partition::default(), Partition::default()],
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mbr = raspberry_pi();
        assert_eq!(Mbr::read(&mut Cursor::new(mbr.encode())).unwrap(), mbr);
        assert_eq!(mbr.part_uuid(2), "00c0ffee-02");
        assert_eq!(mbr.partitions[0].offset(), 8 << 20);
        assert_eq!(mbr.partitions[0].length(), 512 << 20);
    }

    #[test]
    fn sfdisk_reads_what_we_write() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), raspberry_pi().encode()).unwrap();
        file.as_file().set_len(2 << 30).unwrap();
        let dump =
            Tool::new("sfdisk", "dumping the table").arg("-d").arg(file.path()).run().unwrap();
        let words = dump.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("label: dos"), "{dump}");
        assert!(words.contains("label-id: 0x00c0ffee"), "{dump}");
        assert!(words.contains("start= 16384, size= 1048576, type=c, bootable"), "{dump}");
        assert!(words.contains("start= 1064960, size= 3129344, type=83"), "{dump}");
        let verdict =
            Tool::new("sfdisk", "verifying the table").arg("-V").arg(file.path()).run().unwrap();
        assert!(verdict.contains("No errors detected."), "{verdict}");
    }

    #[test]
    fn we_read_and_write_what_sfdisk_does() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(2 << 30).unwrap();
        let script = "label: dos\nlabel-id: 0x00c0ffee\n\
                      start=16384, size=1048576, type=c, bootable\nstart=1064960, size=3129344, type=83\n";
        Tool::new("sfdisk", "making a table")
            .arg("-q")
            .arg(file.path())
            .input(script)
            .run()
            .unwrap();
        let mut disk = std::fs::File::open(file.path()).unwrap();
        assert_eq!(Mbr::read(&mut disk).unwrap(), raspberry_pi());
        let mut sector = [0; 512];
        disk.rewind().unwrap();
        disk.read_exact(&mut sector).unwrap();
        assert_eq!(sector[..], raspberry_pi().encode()[..]);
    }

    #[test]
    fn what_is_no_table_is_refused() {
        let read = |bytes: &[u8]| Mbr::read(&mut Cursor::new(bytes)).unwrap_err().to_string();
        assert_eq!(
            read(b"version: 1\n"),
            "shorter than one sector of 512 bytes: this is not a disk image"
        );
        assert_eq!(read(&[0; 4096]), "no partition table: the first sector does not end in 55 AA");
        let mut gpt = raspberry_pi();
        gpt.partitions[0].kind = PROTECTIVE;
        assert_eq!(read(&gpt.encode()), "GPT tables are not read yet");
        // a FAT boot sector ends in the same signature
        let mut fat = raspberry_pi().encode();
        fat[ENTRIES + ENTRY] = 0x65;
        assert_eq!(read(&fat), "the first sector is no partition table: entry 2 begins with 0x65");
    }
}
