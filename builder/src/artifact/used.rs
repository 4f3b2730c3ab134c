//! The blocks of an image that its file systems count on, whether there is anything in them or not.
//!
//! A hole is no proof that a block means nothing: an unused entry of a file allocation table is zero, and so
//! is much of a journal. An image that was made small by leaving zeros out has holes there, and a card that
//! kept what it held before in such a place would be corrupt. So the file systems are asked.

use anyhow::{Context, bail, ensure};

use crate::base::Base;
use crate::base::fat::{Fat, Geometry};
use crate::base::partition::Window;
use crate::base::table::Partition;
use crate::tool::Tool;

/// Bytes of a block.
pub(super) const BLOCK: u64 = 4096;

/// A set of blocks of an image.
#[derive(Clone, Debug)]
pub(super) struct Blocks {
    bits: Vec<u64>,
    count: u64,
}

impl Blocks {
    /// None of the blocks of an image of so many bytes.
    pub(super) fn none(length: u64) -> Self {
        let count = length.div_ceil(BLOCK);
        Self { bits: vec![0; usize::try_from(count.div_ceil(64)).unwrap_or(0)], count }
    }

    /// How many blocks the image has.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn has(&self, block: u64) -> bool {
        let word = usize::try_from(block / 64).ok().and_then(|at| self.bits.get(at));
        word.is_some_and(|word| word >> (block % 64) & 1 == 1)
    }

    pub(super) fn insert(&mut self, block: u64) {
        if let Some(word) = usize::try_from(block / 64).ok().and_then(|at| self.bits.get_mut(at)) {
            *word |= 1 << (block % 64);
        }
    }

    /// Adds the blocks of which a byte lies in `start..end`.
    pub(super) fn insert_bytes(&mut self, start: u64, end: u64) {
        for block in start / BLOCK..end.div_ceil(BLOCK).min(self.count) {
            self.insert(block);
        }
    }
}

/// The blocks of `card` that its file systems count on.
pub(super) fn of(card: &Base) -> anyhow::Result<Blocks> {
    let mut blocks = Blocks::none(card.facts.length);
    let table = &card.facts.table;
    let (boot, root) = (&table.boot, &table.root);
    let window = |partition: &Partition| card.window(partition);
    fat(&window(boot), boot.offset(), &mut blocks)
        .context("reading the table of the boot partition")?;
    ext4(card, root, &mut blocks)?;
    // nobody knows what is in them
    for partition in &table.others {
        blocks.insert_bytes(partition.offset(), partition.offset() + partition.length());
    }
    // a checksum stands for unused entries too
    for (start, end) in table.places() {
        blocks.insert_bytes(start, end);
    }
    Ok(blocks)
}

/// Everything up to the first cluster, and the clusters that the table says are in use.
fn fat(window: &Window, offset: u64, blocks: &mut Blocks) -> anyhow::Result<()> {
    let geometry = Geometry::read(window)?;
    let Geometry { data, end, cluster, .. } = geometry;
    let Some(fat) = Fat::read(window, geometry)? else {
        // FAT12: no card has it, and it is small
        blocks.insert_bytes(offset, offset + end);
        return Ok(());
    };
    blocks.insert_bytes(offset, offset + data);
    for number in fat.used() {
        let start = offset + data + number * cluster;
        blocks.insert_bytes(start, start + cluster);
    }
    Ok(())
}

/// All blocks but the free ones, as e2fsprogs lists them.
fn ext4(card: &Base, partition: &Partition, blocks: &mut Blocks) -> anyhow::Result<()> {
    let superblock = &card.facts.root;
    let listing = Tool::new("dumpe2fs", "listing the free blocks of the root file system")
        .arg(format!("{}?offset={}", card.path.display(), partition.offset()))
        .env("LC_ALL", "C")
        .run()?;
    let free = free_ranges(&listing)?;
    let counted: u64 = free.iter().map(|(first, last)| last - first + 1).sum();
    ensure!(
        counted == superblock.free_blocks,
        "dumpe2fs lists {counted} free blocks of the root file system, whose superblock counts {}",
        superblock.free_blocks
    );
    let at = |block: u64| partition.offset() + block * superblock.block_size;
    let mut next = 0;
    for (first, last) in free {
        ensure!(
            first >= next && last < superblock.blocks,
            "dumpe2fs lists free blocks out of order"
        );
        blocks.insert_bytes(at(next), at(first));
        next = last + 1;
    }
    blocks.insert_bytes(at(next), at(superblock.blocks));
    Ok(())
}

/// The ranges, both ends included, of the lines `  Free blocks: 9-12, 17`.
fn free_ranges(listing: &str) -> anyhow::Result<Vec<(u64, u64)>> {
    let mut ranges = Vec::new();
    for list in listing.lines().filter_map(|line| line.strip_prefix("  Free blocks: ")) {
        for range in list.split(", ").map(str::trim).filter(|range| !range.is_empty()) {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            match (first.parse(), last.parse()) {
                (Ok(first), Ok(last)) if first <= last => ranges.push((first, last)),
                _ => bail!("dumpe2fs lists free blocks as {range:?}"),
            }
        }
    }
    Ok(ranges)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_counts_when_a_byte_of_it_does() {
        let mut blocks = Blocks::none(10 * BLOCK + 1);
        assert_eq!(blocks.count(), 11);
        blocks.insert_bytes(BLOCK - 1, BLOCK + 1);
        blocks.insert_bytes(5 * BLOCK, 5 * BLOCK);
        blocks.insert_bytes(10 * BLOCK, 99 * BLOCK);
        let found: Vec<u64> = (0..20).filter(|block| blocks.has(*block)).collect();
        assert_eq!(found, [0, 1, 10]);
    }

    #[test]
    fn free_blocks_are_read_from_the_listing() {
        let listing = "Free blocks:              7\n\nGroup 0: (Blocks 0-32767)\n  Free blocks: 9-12, 17\n  Free inodes: 13-20\nGroup 1:\n  Free blocks: \nGroup 2:\n  Free blocks: 40-41\n";
        assert_eq!(free_ranges(listing).unwrap(), [(9, 12), (17, 17), (40, 41)]);
        assert!(free_ranges("  Free blocks: some\n").is_err());
    }
}
