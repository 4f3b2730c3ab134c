//! Whether a plan fits, before anything is copied.

use anyhow::bail;

use super::content_length;
use crate::base::Base;
use crate::plan::Plan;

/// Blocks that ext4 may want beside files' own: for folders and for the maps of large files.
const SPARE_BLOCKS: u64 = 64;

/// Refuses a plan that is larger than the free space of the base's root file system.
pub(super) fn check(base: &Base, plan: &Plan) -> anyhow::Result<()> {
    let root = &base.facts.root;
    let mut blocks = SPARE_BLOCKS;
    for operation in &plan.root {
        // a folder takes a block, and so does the smallest file
        blocks += content_length(operation)?.div_ceil(root.block_size).max(1);
    }
    if blocks > root.free_blocks {
        let megabytes = |blocks: u64| (blocks * root.block_size).div_ceil(1 << 20);
        bail!(
            "the overlays are larger than the base has room for: they take {} MiB, and {} MiB are free in {}",
            megabytes(blocks),
            megabytes(root.free_blocks),
            base.path.display(),
        );
    }
    if plan.root.len() as u64 + 16 > u64::from(root.free_inodes) {
        bail!(
            "the overlays have {} files, and the base's root file system has room for {} more",
            plan.root.len(),
            root.free_inodes
        );
    }
    Ok(())
}
