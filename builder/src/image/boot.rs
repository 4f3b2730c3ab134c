//! The boot partition, by mtools.

use std::path::Path;

use super::{Scratch, inside};
use crate::base::table::Partition;
use crate::plan::{Node, Plan};
use crate::tool::Tool;

/// Writes the plan's boot files.
pub(super) fn apply(
    image: &Path,
    partition: &Partition,
    plan: &Plan,
    scratch: &Scratch,
) -> anyhow::Result<()> {
    for (index, operation) in plan.boot.iter().enumerate() {
        let path = format!("::{}", operation.path);
        let tool = |program, verb| {
            Tool::new(program, format!("{verb} {} on the boot partition", operation.path))
                .args(["-i", &inside(image, "@@", partition)])
                // FAT keeps local times, and these are to be the same everywhere
                .env("TZ", "UTC")
                .env("SOURCE_DATE_EPOCH", plan.date.to_string())
                // the size of the medium is the image's, not a floppy's
                .env("MTOOLS_SKIP_CHECK", "1")
        };
        match (&operation.node, scratch.file(index, operation)?) {
            (Node::Folder, _) => tool("mmd", "making").arg(&path).run()?,
            (Node::Leaf(_), Some(source)) => {
                tool("mcopy", "writing").arg("-o").arg(source).arg(&path).run()?
            }
            (Node::Leaf(_), None) => anyhow::bail!("{}: FAT has no links", operation.path),
        };
    }
    Ok(())
}
