//! Whether all of a plan fits into the base's root file system, and how far that grows if it does not.

use anyhow::anyhow;

use super::Operation;
use crate::base::facts::Facts;
use crate::base::mbr::SECTOR;
use crate::base::superblock::Superblock;

/// Blocks that ext4 may want beside files' own: for folders and for the maps of large files.
const SPARE_BLOCKS: u64 = 64;
/// Inodes that stay free.
const SPARE_INODES: u64 = 16;
/// A grown root file system ends at a multiple of this, in bytes: what cards are written and erased in.
const STEP: u64 = 4 << 20;

/// What a root file system lacks for a plan.
struct Short {
    /// Blocks that the plan takes.
    taken: u64,
    blocks: u64,
    inodes: u64,
}

impl Short {
    fn of(operations: &[Operation], root: &Superblock) -> anyhow::Result<Self> {
        let mut taken = SPARE_BLOCKS;
        for operation in operations {
            // a folder takes a block, and so does the smallest file; a scattered one has a map
            let own = operation.content_length()?.div_ceil(root.block_size).max(1);
            taken += own + own / 256;
        }
        let inodes = operations.len() as u64 + SPARE_INODES;
        Ok(Self {
            taken,
            blocks: taken.saturating_sub(root.free_blocks),
            inodes: inodes.saturating_sub(root.free_inodes.into()),
        })
    }

    fn refusal(&self, root: &Superblock, why: &str) -> anyhow::Error {
        let megabytes = |blocks: u64| (blocks * root.block_size).div_ceil(1 << 20);
        let short = if self.blocks > 0 {
            let (taken, short) = (megabytes(self.taken), megabytes(self.blocks));
            format!("they take {taken} MiB, {short} MiB more than are free")
        } else {
            format!("they have {} files and folders more than can be made", self.inodes)
        };
        anyhow!(
            "the overlays are larger than the base's root file system has room for: {short}; it cannot grow, because {why}"
        )
    }

    /// How many blocks more give room for what is short; none if no number does.
    fn added_blocks(&self, root: &Superblock) -> Option<u64> {
        let overhead = root.group_overhead();
        let usable = root.group_blocks.checked_sub(overhead).filter(|usable| *usable > 0)?;
        // the last group, which need not be whole, has the overhead of one
        let for_blocks = self.blocks + self.blocks.div_ceil(usable) * overhead;
        let groups = self.inodes.div_ceil(u64::from(root.group_inodes).max(1));
        Some(for_blocks.max(groups * root.group_blocks))
    }
}

/// The length in bytes that the root file system must have for these operations; none if they fit as it is.
pub(super) fn grown_root(operations: &[Operation], base: &Facts) -> anyhow::Result<Option<u64>> {
    let (root, partition) = (&base.root, &base.table.root);
    let short = Short::of(operations, root)?;
    if (short.blocks, short.inodes) == (0, 0) {
        return Ok(None);
    }
    let Some(added) = short.added_blocks(root) else {
        return Err(short.refusal(root, "its block groups have no room for files"));
    };
    let length = (root.blocks + added) * root.block_size;
    if length <= partition.length() {
        return Ok(Some(partition.length()));
    }
    if !base.table.is_root_last() {
        return Err(short.refusal(root, "another partition lies behind it"));
    }
    let end = (partition.offset() + length).next_multiple_of(STEP);
    if base.table.label.gpt.is_none() && end / SECTOR > u64::from(u32::MAX) {
        return Err(short.refusal(root, "its partition table reaches no further than 2 TiB"));
    }
    Ok(Some(end - partition.offset()))
}

/// What is said of a root file system that grows to so many bytes.
pub(super) fn reason(length: u64, base: &Facts) -> String {
    let added = length.saturating_sub(base.root.length()).div_ceil(1 << 20);
    format!(
        "the root file system grows by {added} MiB, since what is written has no room in it as it is"
    )
}
