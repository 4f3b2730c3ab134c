//! Writes a plan into a copy of its base.
//!
//! The copy is made beside the output, which it becomes once it has been read back (`artifact`): a build
//! that fails leaves nothing. File systems are written by their reference tools (debugfs, mtools) inside the
//! image file; no root, no loop device, no mount.

mod boot;
mod room;
mod root;
mod sparse;
mod verify;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::Context;
use tempfile::{NamedTempFile, TempDir};

use crate::base::mbr::Partition;
use crate::base::{Base, check};
use crate::interrupt;
use crate::overlay::Content;
use crate::plan::{Node, Operation, Plan};
use crate::scratch;
use crate::tool::{Missing, Tool};

pub use sparse::copy as sparse_copy;
pub(crate) use sparse::next_data;
pub use verify::differences;

/// Writes `plan` into a copy of `base` that lies beside `output`, for its owner alone, and is gone when it is
/// dropped.
pub fn make(base: &Base, plan: &Plan, output: &Path) -> anyhow::Result<NamedTempFile> {
    check_machine()?;
    room::check(base, plan)?;
    let folder = scratch::parent(output);
    // same file system as the output, so that the rename is one step
    let image = scratch::file_beside(output, 0o600)
        .with_context(|| format!("writing into the folder {}", folder.display()))?;
    let [boot, root, ..] = base.facts.table.partitions;
    sparse::copy(&base.path, image.as_file())
        .with_context(|| format!("copying the base to {}", folder.display()))?;
    let scratch = Scratch::new()?;
    // each partition has tools of its own, which do not touch the other; and who only reads disturbs nobody
    at_once(
        || boot::apply(image.path(), &boot, plan, &scratch).context("writing the boot partition"),
        || root::apply(image.path(), &root, plan, &scratch).context("writing the root partition"),
    )?;
    at_once(
        || check::root(image.path(), &root).context("writing the root partition"),
        || verify::image(image.path(), plan).context("reading back what was written"),
    )?;
    interrupt::check()?;
    Ok(image)
}

/// Does two things at once. If both fail, the first one's error is told.
fn at_once(
    one: impl FnOnce() -> anyhow::Result<()> + Send,
    other: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        other
    })
}

/// Says which of the tools is missing, before anything is begun.
pub fn check_machine() -> Result<(), Missing> {
    for program in ["debugfs", "dumpe2fs", "e2fsck", "eatmydata", "mcopy", "mmd"] {
        Tool::new(program, "writing an image").command()?;
    }
    Ok(())
}

/// The way to a partition that the tools take: `FILE?offset=N` or `FILE@@N`.
fn inside(image: &Path, separator: &str, partition: &Partition) -> String {
    format!("{}{separator}{}", image.display(), partition.offset())
}

/// A folder for what the tools are to write, which they take from files alone. Readable by its owner
/// alone, since credentials pass through it.
struct Scratch(TempDir);

impl Scratch {
    fn new() -> anyhow::Result<Self> {
        scratch::folder("imgbuild-").map(Self)
    }

    /// The file that holds an operation's content; none if it has none.
    fn file(&self, index: usize, operation: &Operation) -> anyhow::Result<Option<PathBuf>> {
        match &operation.node {
            Node::Leaf(Content::HostFile(path)) => {
                path.canonicalize().map(Some).with_context(|| format!("reading {}", path.display()))
            }
            Node::Leaf(Content::Bytes(bytes)) => {
                let path = self.0.path().join(index.to_string());
                std::fs::write(&path, bytes).context("writing a temporary file")?;
                Ok(Some(path))
            }
            Node::Leaf(Content::Link(_)) | Node::Folder => Ok(None),
        }
    }
}

/// The size of what an operation writes.
fn content_length(operation: &Operation) -> anyhow::Result<u64> {
    match &operation.node {
        Node::Leaf(Content::HostFile(path)) => File::open(path)
            .and_then(|file| file.metadata())
            .map(|metadata| metadata.len())
            .with_context(|| format!("reading {}", path.display())),
        Node::Leaf(Content::Bytes(bytes)) => Ok(bytes.len() as u64),
        Node::Leaf(Content::Link(target)) => Ok(target.len() as u64),
        Node::Folder => Ok(0),
    }
}
