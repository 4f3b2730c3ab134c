//! Where the partitions of an image lie: by its MBR, or by the GPT that such an MBR protects.
//!
//! A Raspberry Pi starts from the first FAT partition. The first Linux partition behind that is the root; what lies
//! elsewhere is left as it is. Two FAT partitions before it mean two systems (`autoboot.txt`), and are refused.

use std::fmt;
use std::fs::File;

use anyhow::{Context, bail, ensure};

use super::gpt::{Gpt, Guid};
use super::mbr::{Mbr, SECTOR};

/// A stretch of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Its number, from 1, by which the kernel names it.
    pub number: u32,
    /// Its first sector.
    pub first: u64,
    /// How many sectors.
    pub sectors: u64,
}

impl Partition {
    /// Where it begins, in bytes.
    pub fn offset(&self) -> u64 {
        self.first * SECTOR
    }

    /// How long it is, in bytes.
    pub fn length(&self) -> u64 {
        self.sectors * SECTOR
    }
}

/// What a partition's kind says that it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Fat,
    Linux,
    Other,
}

/// The kinds of a GPT that matter here: an EFI system partition and Microsoft's "basic data", which is how FAT is said;
/// Linux's own, and those of root file systems by architecture (the Discoverable Partitions Specification).
const KINDS: [(Guid, Kind, &str); 5] = [
    (
        Guid::new(0xC12A_7328, 0xF81F, 0x11D2, [0xBA, 0x4B, 0x00, 0xA0, 0xC9, 0x3E, 0xC9, 0x3B]),
        Kind::Fat,
        "EFI system",
    ),
    (
        Guid::new(0xEBD0_A0A2, 0xB9E5, 0x4433, [0x87, 0xC0, 0x68, 0xB6, 0xB7, 0x26, 0x99, 0xC7]),
        Kind::Fat,
        "basic data",
    ),
    (
        Guid::new(0x0FC6_3DAF, 0x8483, 0x4772, [0x8E, 0x79, 0x3D, 0x69, 0xD8, 0x47, 0x7D, 0xE4]),
        Kind::Linux,
        "Linux",
    ),
    (
        Guid::new(0xB921_B045, 0x1DF0, 0x41C3, [0xAF, 0x44, 0x4C, 0x6F, 0x28, 0x0D, 0x3F, 0xAE]),
        Kind::Linux,
        "Linux root (ARM-64)",
    ),
    (
        Guid::new(0x69DA_D710, 0x2CE4, 0x4E3C, [0xB1, 0x6C, 0x21, 0xA1, 0xD4, 0x9A, 0xBE, 0xD3]),
        Kind::Linux,
        "Linux root (ARM)",
    ),
];

/// FAT16, FAT16 LBA, FAT32 and FAT32 LBA: the kinds of an MBR from which a Raspberry Pi starts.
const FAT: [u8; 5] = [0x04, 0x06, 0x0b, 0x0c, 0x0e];
const LINUX: u8 = 0x83;

/// What is written about the partitions of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The first sector; that of a GPT may show some partitions too (a hybrid).
    pub mbr: Mbr,
    /// What the MBR protects, if it protects a GPT.
    pub gpt: Option<Gpt>,
}

impl Label {
    /// Reads what is written in an image.
    pub fn read(file: &File) -> anyhow::Result<Self> {
        let mbr = Mbr::read(&mut &*file)?;
        let length = file.metadata()?.len();
        let gpt = mbr.protects_gpt().then(|| Gpt::read(file, length)).transpose()?;
        Ok(Self { mbr, gpt })
    }

    /// The partition from which a Raspberry Pi starts; none if there is none.
    pub fn boot(&self) -> Option<Partition> {
        let mut entries = self.entries().into_iter();
        entries.find(|(_, kind)| *kind == Kind::Fat).map(|(partition, _)| partition)
    }

    fn entries(&self) -> Vec<(Partition, Kind)> {
        let of_gpt = |entry: &super::gpt::Entry| {
            let known = KINDS.iter().find(|(guid, ..)| *guid == entry.kind);
            let sectors = (entry.last - entry.first).saturating_add(1);
            let partition = Partition { number: entry.number, first: entry.first, sectors };
            (partition, known.map_or(Kind::Other, |(_, kind, _)| *kind))
        };
        match &self.gpt {
            Some(gpt) => gpt.entries.iter().map(of_gpt).collect(),
            None => self.of_mbr().collect(),
        }
    }

    fn of_mbr(&self) -> impl Iterator<Item = (Partition, Kind)> {
        let used = (1..).zip(self.mbr.partitions).filter(|(_, partition)| !partition.is_empty());
        used.map(|(number, entry)| {
            let (first, sectors) = (entry.start_sector.into(), entry.sectors.into());
            let kind = match entry.kind {
                LINUX => Kind::Linux,
                kind if FAT.contains(&kind) => Kind::Fat,
                _ => Kind::Other,
            };
            (Partition { number, first, sectors }, kind)
        })
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(gpt) = &self.gpt else { return write!(f, "{}", self.mbr) };
        write!(f, "GPT {}", gpt.disk_id)?;
        for entry in &gpt.entries {
            let known = KINDS.iter().find(|(guid, ..)| *guid == entry.kind);
            let kind =
                known.map_or_else(|| entry.kind.to_string(), |(.., name)| (*name).to_owned());
            let sectors = (entry.last - entry.first).saturating_add(1);
            let (number, first) = (entry.number, entry.first);
            write!(f, "; partition {number}: {kind}, {sectors} sectors from {first}")?;
        }
        Ok(())
    }
}

/// A partition table with a place to start from and a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// What is written.
    pub label: Label,
    /// The partition from which a Raspberry Pi starts.
    pub boot: Partition,
    /// The root partition.
    pub root: Partition,
    /// What else there is.
    pub others: Vec<Partition>,
}

impl Table {
    /// Reads the table of an image, and finds in it what every Raspberry Pi image has.
    pub fn read(file: &File) -> anyhow::Result<Self> {
        let label = Label::read(file)?;
        let entries = label.entries();
        check(&entries, file.metadata()?.len())?;
        let has = |kind| entries.iter().position(|(_, found)| *found == kind);
        let boot = has(Kind::Fat).with_context(|| {
            format!("no partition of it is FAT, from which a Raspberry Pi starts; it has {label}")
        })?;
        let behind = &entries[boot + 1..];
        let root = behind.iter().position(|(_, kind)| *kind == Kind::Linux);
        let root = root.with_context(|| {
            format!("no partition behind the boot partition is Linux's; it has {label}")
        })?;
        if let Some((second, _)) = behind[..root].iter().find(|(_, kind)| *kind == Kind::Fat) {
            bail!(
                "partitions {} and {} are both FAT: an image with two systems on it cannot be a base",
                entries[boot].0.number,
                second.number
            );
        }
        let root = boot + 1 + root;
        let others = (0..).zip(&entries).filter(|(at, _)| ![boot, root].contains(at));
        Ok(Self {
            boot: entries[boot].0,
            root: entries[root].0,
            others: others.map(|(_, (partition, _))| *partition).collect(),
            label,
        })
    }

    /// What the kernel calls a partition: the value of `PARTUUID=`.
    pub fn part_uuid(&self, partition: &Partition) -> String {
        let entries = self.label.gpt.iter().flat_map(|gpt| &gpt.entries);
        let mut ids = entries.filter(|entry| entry.number == partition.number);
        match ids.next() {
            Some(entry) => entry.id.to_string(),
            None => self.label.mbr.part_uuid(partition.number),
        }
    }

    /// Is there nothing behind the root partition?
    pub fn is_root_last(&self) -> bool {
        self.others.iter().chain([&self.boot]).all(|other| other.first < self.root.first)
    }

    /// Does the MBR show the boot partition? A boot ROM looks nowhere else: those of all models before the Pi 4.
    pub fn is_seen_by_boot_roms(&self) -> bool {
        let mut seen = self.label.of_mbr();
        seen.any(|(partition, kind)| kind == Kind::Fat && partition.first == self.boot.first)
    }

    /// Where the table itself lies, in bytes.
    pub fn places(&self) -> impl Iterator<Item = (u64, u64)> {
        let gpt = self.label.gpt.iter().flat_map(|gpt| gpt.places.iter().copied());
        std::iter::once((0, SECTOR)).chain(gpt)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.label.fmt(f)
    }
}

/// Refuses partitions that are not there in full, or lie across each other.
fn check(entries: &[(Partition, Kind)], length: u64) -> anyhow::Result<()> {
    for (partition, _) in entries {
        let Partition { number, first, sectors } = *partition;
        let end = first.saturating_add(sectors).saturating_mul(SECTOR);
        ensure!(
            end <= length,
            "partition {number} ends at {end}, beyond the file's {length} bytes: it was cut short"
        );
    }
    let mut sorted: Vec<&Partition> = entries.iter().map(|(partition, _)| partition).collect();
    sorted.sort_unstable_by_key(|partition| partition.first);
    for pair in sorted.windows(2) {
        let [a, b] = [pair[0], pair[1]];
        ensure!(
            a.first + a.sectors <= b.first,
            "partitions {} and {} lie across each other",
            a.number,
            b.number
        );
    }
    Ok(())
}
