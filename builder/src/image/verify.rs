//! Reads a finished image back, with other code than wrote it, and compares.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::{Context, bail, ensure};

use crate::base::Base;
use crate::base::tree::{Kind, Metadata, Tree};
use crate::overlay::Content;
use crate::plan::{Node, Operation, Plan};

/// Every path of the plan holds what was planned.
pub(super) fn image(path: &Path, plan: &Plan) -> anyhow::Result<()> {
    let image = Base::open(path)?;
    let boot = image.boot()?;
    for operation in &plan.boot {
        content(&boot, operation).with_context(|| format!("boot partition: {}", operation.path))?;
    }
    let root = image.root()?;
    for operation in &plan.root {
        root_operation(&root, operation)
            .with_context(|| format!("root partition: {}", operation.path))?;
    }
    Ok(())
}

fn root_operation(root: &dyn Tree, operation: &Operation) -> anyhow::Result<()> {
    let Some(found) = root.metadata(&operation.path)? else { bail!("is not there") };
    let Metadata { kind, mode, uid, gid, .. } = &found;
    let (wanted_kind, compare_content) = match &operation.node {
        Node::Folder => (Kind::Folder, false),
        Node::Leaf(Content::Link(target)) => (Kind::Link(target.clone()), false),
        Node::Leaf(_) => (Kind::File, true),
    };
    ensure!(*kind == wanted_kind, "is {kind:?} instead of {wanted_kind:?}");
    ensure!(*mode == operation.mode, "has mode {mode:04o} instead of {:04o}", operation.mode);
    ensure!(
        (*uid, *gid) == (operation.uid, operation.gid),
        "belongs to {uid}:{gid} instead of {}:{}",
        operation.uid,
        operation.gid
    );
    if compare_content { content(root, operation) } else { Ok(()) }
}

fn content(tree: &dyn Tree, operation: &Operation) -> anyhow::Result<()> {
    let wanted: Box<dyn Read + '_> = match &operation.node {
        Node::Leaf(Content::Bytes(bytes)) => Box::new(&**bytes),
        Node::Leaf(Content::HostFile(path)) => Box::new(io::BufReader::new(
            File::open(path).with_context(|| format!("opening {}", path.display()))?,
        )),
        Node::Leaf(Content::Link(_)) | Node::Folder => return Ok(()),
    };
    let mut comparison = Comparison { wanted };
    let found = tree.copy_to(&operation.path, &mut comparison)?;
    ensure!(found.is_some(), "is not there");
    ensure!(comparison.wanted.read(&mut [0])? == 0, "is shorter than what was written");
    Ok(())
}

/// Takes what is read back and holds it against what was to be written.
struct Comparison<'a> {
    wanted: Box<dyn Read + 'a>,
}

impl Write for Comparison<'_> {
    fn write(&mut self, found: &[u8]) -> io::Result<usize> {
        let mut wanted = vec![0; found.len()];
        match self.wanted.read_exact(&mut wanted) {
            Ok(()) if wanted == found => Ok(found.len()),
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "differs from what was written")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(wanted: &'static [u8], found: &[u8]) -> io::Result<()> {
        Comparison { wanted: Box::new(wanted) }.write_all(found)
    }

    #[test]
    fn a_difference_is_found_wherever_it_lies() {
        assert!(compare(b"content", b"content").is_ok());
        assert!(compare(b"content", b"contend").is_err());
        assert!(compare(b"cont", b"content").is_err());
    }
}
