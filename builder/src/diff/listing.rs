//! Everything that lies on a file system, with the hash of what is in it.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::Context;

use crate::base::tree::{Kind, Metadata, Tree};
use crate::digest::Hashing;
use crate::interrupt;

/// What lies at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) mode: u16,
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// In bytes; 0 for what is no file.
    pub(super) size: u64,
    /// Of a file's content; empty for what is no file.
    pub(super) hash: String,
}

/// Everything below the root of a file system.
pub(super) fn of(tree: &dyn Tree) -> anyhow::Result<BTreeMap<String, Entry>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for name in tree.list(&format!("{folder}/"))? {
            interrupt::check()?;
            let path = format!("{folder}/{name}");
            // a name that is not UTF-8 cannot be asked for; its folder's hash does not exist, so it is passed over
            let Some(metadata) = tree.metadata(&path)? else { continue };
            if metadata.kind == Kind::Folder {
                folders.push(path.clone());
            }
            let entry = Entry::read(tree, &path, metadata)?;
            found.insert(path, entry);
        }
    }
    Ok(found)
}

impl Entry {
    fn read(tree: &dyn Tree, path: &str, metadata: Metadata) -> anyhow::Result<Self> {
        let Metadata { kind, mode, uid, gid, size, .. } = metadata;
        let (size, hash) = if kind == Kind::File {
            let mut sink = Hashing::new(std::io::sink());
            tree.copy_to(path, &mut sink)?.with_context(|| format!("{path} is gone"))?;
            (size, sink.finish().1.sha256)
        } else {
            (0, String::new())
        };
        Ok(Self { kind, mode, uid, gid, size, hash })
    }

    /// May not everybody on the device read it?
    pub(super) fn is_private(&self) -> bool {
        self.mode & 0o004 == 0
    }

    /// What `new` has otherwise, but for the content.
    pub(super) fn changes(&self, new: &Self) -> Vec<String> {
        let mut changes = Vec::new();
        if self.kind != new.kind {
            changes.push(format!("{} → {}", kind(&self.kind), kind(&new.kind)));
        }
        if self.mode != new.mode {
            changes.push(format!("mode {:04o} → {:04o}", self.mode, new.mode));
        }
        if (self.uid, self.gid) != (new.uid, new.gid) {
            changes.push(format!("owner {}:{} → {}:{}", self.uid, self.gid, new.uid, new.gid));
        }
        changes
    }
}

fn kind(kind: &Kind) -> String {
    match kind {
        Kind::File => "file".to_owned(),
        Kind::Folder => "folder".to_owned(),
        Kind::Link(target) => format!("link to {target}"),
        Kind::Special => "device, pipe or socket".to_owned(),
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {:04o} {}:{}", kind(&self.kind), self.mode, self.uid, self.gid)?;
        if self.kind == Kind::File { write!(f, ", {} bytes", self.size) } else { Ok(()) }
    }
}
