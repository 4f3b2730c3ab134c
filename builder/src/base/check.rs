//! The file systems of an image as their own checkers see them.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::Context;

use super::Base;
use super::partition::Window;
use super::table::Partition;
use crate::interrupt;
use crate::tool::Tool;

/// The root file system, in that partition of an image: e2fsck finds nothing, and writes nothing.
pub fn root(image: &Path, partition: &Partition) -> anyhow::Result<()> {
    Tool::new("e2fsck", "checking the root file system")
        .args(["-f", "-n"])
        .arg(format!("{}?offset={}", image.display(), partition.offset()))
        .without_flushing()
        .run()
        .map(drop)
}

/// The boot file system: fsck.vfat finds nothing. It takes no offset, so it is given a copy, which lies in
/// `folder` meanwhile.
pub fn boot(image: &Base, folder: &Path) -> anyhow::Result<()> {
    let doing = "checking the boot file system";
    let part = tempfile::NamedTempFile::new_in(folder).context(doing)?;
    copy_sparse(&image.window(&image.facts.table.boot), part.as_file()).context(doing)?;
    Tool::new("fsck.vfat", doing).arg("-n").arg(part.path()).run().map(drop)
}

/// Copies a partition into a file of its own, nothing for zeros.
fn copy_sparse(from: &Window, to: &File) -> anyhow::Result<()> {
    const STEP: usize = 1 << 20;
    to.set_len(from.length())?;
    let mut buffer = vec![0; STEP];
    let zeros = vec![0; STEP];
    let mut at = 0;
    while at < from.length() {
        interrupt::check()?;
        let left = usize::try_from(from.length() - at).unwrap_or(STEP).min(STEP);
        from.read_at(at, &mut buffer[..left])?;
        if buffer[..left] != zeros[..left] {
            to.write_all_at(&buffer[..left], at)?;
        }
        at += left as u64;
    }
    Ok(())
}
