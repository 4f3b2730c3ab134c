//! Writes a plan into a folder of this machine, to look at: `bootfs/` and `rootfs/`.
//!
//! Owners stay the user's own, since only root can give files away; `owners.txt` says whose each would be.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::Path;

use anyhow::Context;

use crate::fault::Usage;
use crate::overlay::Content;
use crate::plan::{Node, Operation, Plan};
use crate::scratch;

/// Refuses a folder that is there already: what is in it is somebody's.
pub fn check_output(folder: &Path) -> Result<(), Usage> {
    if folder.symlink_metadata().is_ok() {
        let folder = folder.display();
        return Err(Usage(format!("{folder} is there already; name a folder to be made")));
    }
    Ok(())
}

/// Writes a plan into `folder`, which is made, and is the user's alone, since secrets are in it.
pub fn render(plan: &Plan, folder: &Path) -> anyhow::Result<()> {
    // made beside and renamed into place, so that half a folder never has the name
    let scratch = scratch::Folder::beside(folder)?;
    let mut owners = String::new();
    for (part, operations) in [("bootfs", &plan.boot), ("rootfs", &plan.root)] {
        let top = scratch.path().join(part);
        fs::create_dir(&top).with_context(|| format!("making {part}"))?;
        for operation in operations {
            write(operation, &top).with_context(|| format!("writing {part}{}", operation.path))?;
            let Operation { path, mode, uid, gid, .. } = operation;
            let slash = if path.starts_with('/') { "" } else { "/" };
            writeln!(owners, "{mode:04o} {uid}:{gid} {part}{slash}{path}")
                .expect("a string takes everything");
        }
    }
    fs::write(scratch.path().join("owners.txt"), owners).context("writing owners.txt")?;
    scratch.rename(folder).with_context(|| format!("renaming the folder to {}", folder.display()))
}

fn write(operation: &Operation, top: &Path) -> anyhow::Result<()> {
    let path = top.join(operation.path.trim_start_matches('/'));
    let parent = path.parent().unwrap_or(top);
    fs::create_dir_all(parent)?;
    match &operation.node {
        Node::Folder => {
            fs::create_dir_all(&path)?;
            // whoever renders must be able to look inside
            let mode = u32::from(operation.mode) | 0o700;
            fs::set_permissions(&path, Permissions::from_mode(mode))?;
        }
        Node::Leaf(Content::Link(target)) => symlink(target, &path)?,
        Node::Leaf(Content::Bytes(bytes)) => leaf(&path, bytes, operation.mode)?,
        Node::Leaf(Content::HostFile(from)) => leaf(&path, &fs::read(from)?, operation.mode)?,
    }
    Ok(())
}

/// A file that never was more readable than it is to be.
fn leaf(path: &Path, bytes: &[u8], mode: u16) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.set_permissions(Permissions::from_mode(u32::from(mode & 0o777)))
}
