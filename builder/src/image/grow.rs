//! A copy of a base whose root file system is longer, and the partition it lies in with it.
//!
//! Resize2fs has a trap: it takes `FILE?offset=N`, and cuts the file off where a file system without an offset would end.
//! So the file system grows in a file of its own.

use std::path::Path;

use anyhow::Context;
use tempfile::NamedTempFile;

use super::sparse;
use crate::base::Base;
use crate::base::mbr::SECTOR;
use crate::base::table::Table;
use crate::scratch;
use crate::tool::Tool;

/// What a table at the end of an image may take, in bytes: that of a GPT takes 33 sectors.
const TABLE: u64 = 1 << 20;

/// Copies `base` into the empty file `image`, its root file system grown to `length` bytes.
pub(super) fn copy(
    base: &Base,
    length: u64,
    image: &NamedTempFile,
    date: u64,
) -> anyhow::Result<()> {
    let (table, from, into) = (&base.facts.table, base.file(), image.as_file());
    let (start, end) = (table.root.offset(), table.root.offset() + table.root.length());
    let is_longer = table.root.length() < length;
    let table_at_end = if table.label.gpt.is_some() { TABLE } else { 0 };
    let whole = if is_longer { start + length + table_at_end } else { 0 };
    into.set_len(base.facts.length.max(whole)).context("making room")?;
    sparse::copy_part(from, 0..start, into, 0)?;
    if !is_longer {
        sparse::copy_part(from, end..base.facts.length, into, end)?;
    }

    // beside the image, where there is room for one
    let root = scratch::file_beside(image.path(), 0o600)?;
    root.as_file().set_len(length).context("making room")?;
    sparse::copy_part(from, start..end.min(start + length), root.as_file(), 0)?;
    resize(root.path(), length / base.facts.root.block_size, date)?;
    sparse::copy_part(root.as_file(), 0..length, into, start)?;
    if is_longer { move_end(image.path(), table, length) } else { Ok(()) }
}

/// Grows the file system that fills a file.
fn resize(file_system: &Path, blocks: u64, date: u64) -> anyhow::Result<()> {
    Tool::new("resize2fs", "growing the root file system")
        // it wants to have been checked just before; e2fsck is called when all is written
        .arg("-f")
        .arg(file_system)
        .arg(blocks.to_string())
        .env("E2FSPROGS_FAKE_TIME", date.to_string())
        .without_flushing()
        .run()
        .map(drop)
}

/// Makes the root partition so many bytes long.
fn move_end(image: &Path, table: &Table, length: u64) -> anyhow::Result<()> {
    // nobody uses a file: there is no kernel to tell of it, and nothing to wait for
    let sfdisk = || {
        Tool::new("sfdisk", "growing the root partition")
            .args(["--quiet", "--no-reread", "--no-tell-kernel", "--force"])
            .without_flushing()
    };
    if table.label.gpt.is_some() {
        sfdisk().args(["--relocate", "gpt-bak-std"]).arg(image).run()?;
    }
    let number = table.root.number.to_string();
    sfdisk()
        .args(["-N", &number])
        .arg(image)
        .input(format!(", {}\n", length / SECTOR))
        .run()
        .map(drop)
}
