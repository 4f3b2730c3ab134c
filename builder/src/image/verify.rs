//! Reads an image back, with other code than wrote it, and holds it against a plan.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::{Context, bail, ensure};

use crate::base::Base;
use crate::base::tree::{Kind, Metadata, Tree};
use crate::interrupt;
use crate::overlay::Content;
use crate::plan::{Node, Operation, Plan};

/// Every path of the plan holds what was planned.
pub(super) fn image(path: &Path, plan: &Plan) -> anyhow::Result<()> {
    let image = Base::open(path)?;
    operations(&image, plan)?.try_for_each(|outcome| outcome)
}

/// What `image` has otherwise than `plan` wants it, path by path, as sentences.
pub fn differences(image: &Base, plan: &Plan) -> anyhow::Result<Vec<String>> {
    let mut differences = Vec::new();
    for outcome in operations(image, plan)? {
        interrupt::check()?;
        differences.extend(outcome.err().map(|error| format!("{error:#}")));
    }
    Ok(differences)
}

/// Each operation of the plan, read back.
fn operations<'a>(
    image: &Base,
    plan: &'a Plan,
) -> anyhow::Result<impl Iterator<Item = anyhow::Result<()>> + use<'a>> {
    let (boot, root) = (image.boot()?, image.root()?);
    let on_boot = plan.boot.iter().map(move |operation| {
        content(&boot, operation).with_context(|| format!("boot partition: {}", operation.path))
    });
    let on_root = plan.root.iter().map(move |operation| {
        root_operation(&root, operation)
            .with_context(|| format!("root partition: {}", operation.path))
    });
    Ok(on_boot.chain(on_root))
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
    let mut comparison = Comparison { wanted, differs: false };
    let found = tree.copy_to(&operation.path, &mut comparison)?;
    ensure!(found.is_some(), "is not there");
    ensure!(comparison.is_whole()?, "holds something else than planned");
    Ok(())
}

/// Takes what is read back and holds it against what is wanted.
struct Comparison<'a> {
    wanted: Box<dyn Read + 'a>,
    differs: bool,
}

impl Comparison<'_> {
    /// Was everything as wanted, and is nothing wanted beyond it?
    fn is_whole(&mut self) -> io::Result<bool> {
        Ok(!self.differs && self.wanted.read(&mut [0])? == 0)
    }
}

impl Write for Comparison<'_> {
    fn write(&mut self, found: &[u8]) -> io::Result<usize> {
        if !self.differs {
            let mut wanted = vec![0; found.len()];
            self.differs = match self.wanted.read_exact(&mut wanted) {
                Ok(()) => wanted != found,
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => true,
                Err(error) => return Err(error),
            };
        }
        Ok(found.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_same(wanted: &'static [u8], found: &[&[u8]]) -> bool {
        let mut comparison = Comparison { wanted: Box::new(wanted), differs: false };
        for part in found {
            comparison.write_all(part).unwrap();
        }
        comparison.is_whole().unwrap()
    }

    #[test]
    fn a_difference_is_found_wherever_it_lies() {
        assert!(is_same(b"content", &[b"con", b"tent"]));
        assert!(!is_same(b"content", &[b"con", b"tend"]));
        assert!(!is_same(b"content", &[b"kon", b"tent"]));
        assert!(!is_same(b"cont", &[b"content"]));
        assert!(!is_same(b"content", &[b"cont"]));
        assert!(is_same(b"", &[]));
    }
}
