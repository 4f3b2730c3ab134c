//! The file allocation table of a boot partition: which clusters are in use, and whether that makes sense.
//!
//! ```text
//! boot sector, reserved sectors
//! one table or two alike     for each cluster the next one of its file, an end, or 0 if it is free
//! FAT16: the root folder
//! clusters                   files, and folders of entries of 32 bytes
//! ```
//!
//! Numbers as in Microsoft's "FAT32 File System Specification", which mkfs.fat follows. mtools writes into whatever
//! it finds: over two files that share a cluster, or along a chain that leads back into itself.

mod check;

use anyhow::ensure;

use super::little_endian;
use super::partition::Window;

pub(crate) use check::check;

/// The fewest clusters of FAT32.
const LEAST_OF_FAT32: u64 = 65_525;

/// Bytes of an entry of a folder.
const ENTRY: usize = 32;

/// The most entries that the specification lets a folder have, those of long names included. The chain of a damaged one
/// may lead back into itself.
pub(super) const MOST_ENTRIES: usize = 65_536;

/// The flag by which only one of two tables is kept.
const ONE_TABLE: u64 = 0x80;

/// Where everything lies, in bytes from the partition's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    /// How long a table is, and how many there are.
    table: (u64, u64),
    /// Where the first one begins.
    reserved: u64,
    /// Where the first cluster begins.
    pub(crate) data: u64,
    /// Where the last one ends, or what is too little for one more.
    pub(crate) end: u64,
    /// Bytes of a cluster.
    pub(crate) cluster: u64,
    /// How many clusters there are.
    clusters: u64,
    /// The first cluster of the root folder; none where it lies before all clusters.
    root: Option<u32>,
    /// The bytes of that.
    root_length: u64,
}

impl Geometry {
    /// Reads it out of the boot sector.
    pub(crate) fn read(window: &Window) -> anyhow::Result<Self> {
        let mut boot = [0; 512];
        window.read_at(0, &mut boot)?;
        let half = |at: usize| u64::from(little_endian::half(&boot, at));
        let word = |at: usize| little_endian::word(&boot, at);
        let either = |first: u64, second: u64| if first == 0 { second } else { first };
        let sector = half(0x0B);
        let cluster = u64::from(boot[0x0D]) * sector;
        ensure!(
            sector.is_power_of_two() && (512..=4096).contains(&sector) && cluster.is_power_of_two(),
            "its boot sector gives no size of a cluster"
        );
        // only FAT32, which gives no length of a table in 16 bits, has these flags
        ensure!(
            half(0x16) != 0 || half(0x28) & ONE_TABLE == 0,
            "its boot sector says that its tables are not kept alike"
        );
        let (reserved, tables) = (half(0x0E) * sector, u64::from(boot[0x10]));
        ensure!(
            reserved > 0 && (1..=2).contains(&tables),
            "its boot sector gives no place for a table"
        );
        let length = either(half(0x16), word(0x24).into()) * sector;
        let root_length = (half(0x11) * ENTRY as u64).next_multiple_of(sector);
        let data = reserved + tables * length + root_length;
        let end = either(half(0x13), word(0x20).into()) * sector;
        ensure!(data <= end, "its boot sector says that it ends before its first cluster");
        ensure!(
            end <= window.length(),
            "its boot sector says that it has {end} bytes, and its partition has {}",
            window.length()
        );
        let root = (root_length == 0).then(|| word(0x2C));
        let clusters = (end - data) / cluster;
        Ok(Self {
            table: (length, tables),
            reserved,
            data,
            end,
            cluster,
            clusters,
            root,
            root_length,
        })
    }

    /// Bytes of an entry of the table; none of FAT12, whose entries share bytes.
    ///
    /// FAT32 is told as the kernel tells it, by a root folder among the clusters; FAT12 from FAT16 by their number.
    fn width(&self) -> Option<usize> {
        match (self.root, self.clusters) {
            (Some(_), _) => Some(4),
            (None, 0..4_085) => None,
            (None, _) => Some(2),
        }
    }

    /// Has it the clusters that the specification wants for its kind? By them alone the kinds should be told apart, and
    /// mtools does: it reads nothing where the kernel reads a FAT32.
    fn is_of_its_kind(&self) -> bool {
        self.root.is_some() == (self.clusters >= LEAST_OF_FAT32)
    }
}

/// A file allocation table.
#[derive(Debug)]
pub(crate) struct Fat {
    pub(crate) geometry: Geometry,
    width: usize,
    table: Vec<u8>,
}

impl Fat {
    /// Reads the first table; none if the file system is FAT12, which no card has.
    pub(crate) fn read(window: &Window, geometry: Geometry) -> anyhow::Result<Option<Self>> {
        let Some(width) = geometry.width() else { return Ok(None) };
        let length = (geometry.clusters + 2) * width as u64;
        ensure!(
            length <= geometry.table.0,
            "its table is too short for its {} clusters",
            geometry.clusters
        );
        let mut table = vec![0; usize::try_from(length)?];
        window.read_at(geometry.reserved, &mut table)?;
        Ok(Some(Self { geometry, width, table }))
    }

    /// The clusters in use, counted from 0: in the table, the first one has number 2.
    pub(crate) fn used(&self) -> impl Iterator<Item = u64> {
        (0..self.geometry.clusters).filter(|number| self.entry(number + 2) != Some(0))
    }

    /// What the table has for a cluster, by its number there.
    fn entry(&self, cluster: u64) -> Option<u64> {
        let at = usize::try_from(cluster).ok()?.checked_mul(self.width)?;
        let bytes = self.table.get(at..at + self.width)?;
        let number = bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
        // the highest four bits of an entry of FAT32 mean nothing
        Some(number & 0x0FFF_FFFF)
    }

    /// Where a cluster lies.
    fn place(&self, cluster: u64) -> u64 {
        self.geometry.data + (cluster - 2) * self.geometry.cluster
    }
}

#[cfg(test)]
mod tests;
