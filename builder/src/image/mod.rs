//! Writes a plan into a copy of its base.
//!
//! The copy is made beside the output, which it becomes once it has been read back (`artifact`): a build
//! that fails leaves nothing. File systems are written by their reference tools (debugfs, mtools) inside the
//! image file; no root, no loop device, no mount.

mod boot;
mod grow;
mod root;
mod sparse;
mod verify;

use std::path::{Path, PathBuf};
use std::thread;

use anyhow::Context;
use tempfile::NamedTempFile;

use crate::base::table::Partition;
use crate::base::{Base, check, fat};
use crate::overlay::Content;
use crate::plan::{Node, Operation, Plan};
use crate::scratch;
use crate::tool::{Failed, Missing, Tool};
use crate::{fault, interrupt};

pub use sparse::copy as sparse_copy;
pub(crate) use sparse::next_data;
pub use verify::differences;

/// Writes `plan` into a copy of `base` that lies beside `output`, for its owner alone, and is gone when it is
/// dropped.
pub fn make(base: &Base, plan: &Plan, output: &Path) -> anyhow::Result<NamedTempFile> {
    check_machine()?;
    let folder = scratch::parent(output);
    // same file system as the output, so that the rename is one step
    let image = scratch::file_beside(output, 0o600)
        .with_context(|| format!("writing into the folder {}", folder.display()))?;
    let (boot, root) = (base.facts.table.boot, base.facts.table.root);
    at_once(
        || fat::check(&base.window(&boot)).with_context(|| base.path.display().to_string()),
        || match plan.grown_root {
            None => sparse::copy(base.file(), image.as_file())
                .with_context(|| format!("copying the base to {}", folder.display())),
            Some(length) => grow::copy(base, length, &image, plan.date)
                .context("copying the base with a larger root file system"),
        },
    )?;
    let scratch = Scratch::new()?;
    // each partition has tools of its own, which do not touch the other; and who only reads disturbs nobody
    at_once(
        || boot::apply(image.path(), &boot, plan, &scratch).context("writing the boot partition"),
        || root::apply(image.path(), &root, plan, &scratch).map_err(|error| blame(base, error)),
    )?;
    at_once(
        || check::root(image.path(), &root).map_err(|error| blame(base, error)),
        || verify::image(image.path(), plan).context("reading back what was written"),
    )?;
    interrupt::check()?;
    Ok(image)
}

/// Why the root partition is not as it should be: because of what was written, or because it never was. Asked only
/// then, since it takes as long as a build.
fn blame(base: &Base, error: anyhow::Error) -> anyhow::Error {
    let interrupted = fault::interruption(&error).is_some();
    let before = check::root(&base.path, &base.facts.table.root);
    match before {
        Err(before) if before.is::<Failed>() && !interrupted => before.context(format!(
            "{}: the root file system is damaged; run `e2fsck -f` on its partition, or take a fresh base",
            base.path.display()
        )),
        _ => error.context("writing the root partition"),
    }
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
    for program in
        ["debugfs", "dumpe2fs", "e2fsck", "eatmydata", "mcopy", "mmd", "resize2fs", "sfdisk"]
    {
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
struct Scratch(scratch::Folder);

impl Scratch {
    fn new() -> anyhow::Result<Self> {
        scratch::Folder::new().map(Self)
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
