//! The GUID partition table, read by the UEFI specification (2.10, chapter 5).
//!
//! ```text
//! sector 0   an MBR that protects what follows from programs that know no GPT (`mbr`)
//!        1   header: lengths, places, the disk's GUID; a checksum of itself and one of the entries
//!        2…  entries, as a rule 128 of 128 bytes: kind, GUID, first and last sector, attributes, name
//!        …
//!     last   the same header again, the entries before it
//! ```
//!
//! No crate for it: reading takes the lines below and a CRC that flate2 has, and whoever writes such a table is sfdisk.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::little_endian::{double, word};
use super::mbr::{SECTOR, SECTOR_BYTES};

const SIGNATURE: &[u8] = b"EFI PART";
const REVISION: u32 = 0x0001_0000;
/// Bytes of a header that have a meaning; a longer one may come.
const HEADER: usize = 92;
/// Bytes of an entry that have a meaning.
const ENTRY: u32 = 128;
/// The most that is taken for a table: no program makes more than 128 entries, nor longer ones.
const MOST_ENTRIES: u32 = 1024;
const LONGEST_ENTRY: u32 = 4096;

/// A globally unique identifier. Shows itself in lower case, as the kernel does in `PARTUUID=`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guid([u8; 16]);

impl Guid {
    /// The identifier that is written so, its first three fields as numbers.
    pub const fn new(a: u32, b: u16, c: u16, rest: [u8; 8]) -> Self {
        let ([a0, a1, a2, a3], [b0, b1], [c0, c1]) =
            (a.to_le_bytes(), b.to_le_bytes(), c.to_le_bytes());
        let [d0, d1, d2, d3, d4, d5, d6, d7] = rest;
        Self([a0, a1, a2, a3, b0, b1, c0, c1, d0, d1, d2, d3, d4, d5, d6, d7])
    }

    fn read(bytes: &[u8], at: usize) -> Self {
        Self(std::array::from_fn(|index| bytes[at + index]))
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // the first three fields are numbers, with the low byte first
        const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
        for (place, index) in ORDER.into_iter().enumerate() {
            if matches!(place, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{:02x}", self.0[index])?;
        }
        Ok(())
    }
}

/// Why there is no table that can be read.
#[derive(Debug, thiserror::Error)]
pub enum GptError {
    /// A header or its entries are not what they must be.
    #[error("{0}")]
    Damaged(&'static str),
    /// A partition that no table can have.
    #[error("partition {number} is not within what its GPT gives to partitions")]
    Outside {
        /// Which one, from 1.
        number: u32,
    },
    /// The image could not be read.
    #[error("reading the GPT: {0}")]
    Read(#[from] io::Error),
}

/// A used entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which one, from 1; there may be unused ones before it.
    pub number: u32,
    /// What kind of partition it is.
    pub kind: Guid,
    /// The partition's own identifier: what `PARTUUID=` names.
    pub id: Guid,
    /// The first sector.
    pub first: u64,
    /// The last sector, which belongs to it.
    pub last: u64,
}

/// A GUID partition table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gpt {
    /// The disk's identifier.
    pub disk_id: Guid,
    /// The used entries.
    pub entries: Vec<Entry>,
    /// What is wrong with the table at the beginning, if this is the one at the end.
    pub damage: Option<&'static str>,
    /// Where both tables lie, headers and entries, in bytes.
    pub places: Vec<(u64, u64)>,
}

impl Gpt {
    /// Reads the table of an image of `length` bytes: the one at its beginning or, where that is damaged, the one at its
    /// end.
    pub fn read(file: &File, length: u64) -> Result<Self, GptError> {
        let last = (length / SECTOR).saturating_sub(1);
        let end = Header::read(file, 1, last).and_then(|it| Ok((it.table(file)?, it)));
        let backup = Header::read(file, last, last).and_then(|it| Ok((it.table(file)?, it)));
        let mut places = Vec::new();
        for (_, header) in [&end, &backup].into_iter().flatten() {
            places.extend([header.place(), header.entries_place()]);
        }
        let table = match (end, backup) {
            (Ok((table, _)), _) => table,
            (Err(GptError::Damaged(damage)), Ok((table, _))) => {
                Self { damage: Some(damage), ..table }
            }
            (Err(error), _) => return Err(error),
        };
        Ok(Self { places, ..table })
    }
}

/// A header whose checksum holds.
struct Header {
    sector: u64,
    first_usable: u64,
    last_usable: u64,
    disk_id: Guid,
    entries_sector: u64,
    count: u32,
    entry_length: u32,
    entries_crc: u32,
}

impl Header {
    fn read(file: &File, sector: u64, last: u64) -> Result<Self, GptError> {
        let mut bytes = [0; SECTOR_BYTES];
        if sector == 0 || sector > last {
            return Err(GptError::Damaged("the image ends before its GPT does"));
        }
        file.read_exact_at(&mut bytes, sector * SECTOR)?;
        let header = Self::decode(&bytes)?;
        let entries_end = header.entries_place().1;
        let sound = header.sector == sector
            && header.entries_sector >= 2
            && entries_end <= (last + 1) * SECTOR
            && header.first_usable <= header.last_usable;
        if sound { Ok(header) } else { Err(GptError::Damaged("its GPT's header is not sound")) }
    }

    fn decode(bytes: &[u8; SECTOR_BYTES]) -> Result<Self, GptError> {
        let damaged = |what| Err(GptError::Damaged(what));
        if !bytes.starts_with(SIGNATURE) {
            return damaged("its GPT has no header");
        }
        if word(bytes, 8) != REVISION {
            return damaged("its GPT is of a revision that nobody knows");
        }
        let length = word(bytes, 12) as usize;
        if !(HEADER..=bytes.len()).contains(&length) {
            return damaged("its GPT's header gives itself a length that cannot be");
        }
        let mut summed = bytes[..length].to_vec();
        summed[16..20].fill(0);
        if crc(&summed) != word(bytes, 16) {
            return damaged("its GPT's header does not match its checksum");
        }
        let header = Self {
            sector: double(bytes, 24),
            first_usable: double(bytes, 40),
            last_usable: double(bytes, 48),
            disk_id: Guid::read(bytes, 56),
            entries_sector: double(bytes, 72),
            count: word(bytes, 80),
            entry_length: word(bytes, 84),
            entries_crc: word(bytes, 88),
        };
        let is_length = header.entry_length.is_power_of_two() && header.entry_length >= ENTRY;
        if !is_length || header.entry_length > LONGEST_ENTRY || header.count > MOST_ENTRIES {
            return damaged(
                "its GPT's header announces entries of a number or length that cannot be",
            );
        }
        Ok(header)
    }

    fn place(&self) -> (u64, u64) {
        (self.sector * SECTOR, (self.sector + 1) * SECTOR)
    }

    fn entries_place(&self) -> (u64, u64) {
        let start = self.entries_sector.saturating_mul(SECTOR);
        (start, start.saturating_add(u64::from(self.count * self.entry_length)))
    }

    /// The entries that it leads to.
    fn table(&self, file: &File) -> Result<Gpt, GptError> {
        let (start, end) = self.entries_place();
        let mut bytes = vec![0; usize::try_from(end - start).unwrap_or(0)];
        file.read_exact_at(&mut bytes, start)?;
        if crc(&bytes) != self.entries_crc {
            return Err(GptError::Damaged("its GPT's entries do not match their checksum"));
        }
        let entries = (1..).zip(bytes.chunks_exact(self.entry_length as usize));
        let used = entries.filter(|(_, bytes)| Guid::read(bytes, 0) != Guid::default());
        let entries = used.map(|(number, bytes)| self.entry(number, bytes));
        Ok(Gpt {
            disk_id: self.disk_id,
            entries: entries.collect::<Result<_, _>>()?,
            damage: None,
            places: Vec::new(),
        })
    }

    fn entry(&self, number: u32, bytes: &[u8]) -> Result<Entry, GptError> {
        let (first, last) = (double(bytes, 32), double(bytes, 40));
        if first > last || first < self.first_usable || last > self.last_usable {
            return Err(GptError::Outside { number });
        }
        Ok(Entry { number, kind: Guid::read(bytes, 0), id: Guid::read(bytes, 16), first, last })
    }
}

/// The CRC-32 of Ethernet, gzip and the UEFI specification.
fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}
