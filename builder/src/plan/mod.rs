//! What will be on the card beside the base: an ordered list of operations. Pure: no disk is written
//! here, and all of it can be printed.

mod accounts;
mod boot_files;
mod compose;
mod device;
mod room;
mod settle;
mod shown;
mod units;

#[cfg(test)]
mod tests;

use std::fmt;

use anyhow::{Context, bail};
use imgbuild_schema::report::Report;
use imgbuild_schema::{DeviceSpec, Problem};

use crate::base::facts::Facts;
use crate::base::tree::Tree;
use crate::choices::Choices;
use crate::fault::Refused;
use crate::overlay::{self, Content, Overlay};

use compose::Composer;

pub use shown::Shown;
pub(crate) use shown::with_derived as redactions_with_derived;

/// Where the agent lies on a card.
pub(crate) const AGENT_PATH: &str = "/usr/bin/imgbuild-agent";

/// Everything that is written into the copy of a base.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Files of the boot partition, by path.
    pub boot: Vec<Operation>,
    /// Files, folders and links of the root partition: a folder before what is in it.
    pub root: Vec<Operation>,
    /// The length in bytes that the root file system grows to, since all of it does not fit otherwise.
    pub grown_root: Option<u64>,
    /// The time, in seconds since 1970, that everything written is dated.
    pub date: u64,
    /// What follows from the base, and why: a sentence each.
    pub reasons: Vec<String>,
}

/// One path and what it comes to be. Whatever was there before is replaced, but a folder stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The path on its file system, from its root.
    pub path: String,
    /// What lies there then.
    pub node: Node,
    /// The permission bits.
    pub mode: u16,
    /// The owner.
    pub uid: u32,
    /// The owner's group.
    pub gid: u32,
    /// Is something there in the base?
    pub replaces: bool,
    /// Who wants it so, for messages.
    pub origin: String,
}

/// What a path comes to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Node {
    /// A folder.
    Folder,
    /// A file or a link.
    Leaf(Content),
}

impl Operation {
    /// Bytes of what it writes; an error if the file of this machine that holds it cannot be read.
    pub fn content_length(&self) -> anyhow::Result<u64> {
        match &self.node {
            Node::Leaf(Content::HostFile(path)) => std::fs::metadata(path)
                .map(|metadata| metadata.len())
                .with_context(|| format!("reading {}", path.display())),
            Node::Leaf(Content::Bytes(bytes)) => Ok(bytes.len() as u64),
            Node::Leaf(Content::Link(target)) => Ok(target.len() as u64),
            Node::Folder => Ok(0),
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, mode, uid, gid, origin, .. } = self;
        let what = match &self.node {
            Node::Folder => "folder".to_owned(),
            Node::Leaf(content) => format!("{content:?}"),
        };
        write!(f, "{path}: {what}, {mode:04o} {uid}:{gid} ({origin})")
    }
}

/// The base, as far as planning looks at it.
#[derive(Clone, Copy)]
pub struct BaseView<'a> {
    /// What it is.
    pub facts: &'a Facts,
    /// Its boot file system.
    pub boot: &'a dyn Tree,
    /// Its root file system.
    pub root: &'a dyn Tree,
}

impl fmt::Debug for BaseView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.facts.fmt(f)
    }
}

/// Plans a card: the device's overlays, and the files that only this device has, on this base. What the
/// base brings to light about the profile is told by `report`.
pub fn plan(
    spec: &DeviceSpec,
    report: &dyn Fn(Vec<Problem>) -> Report,
    base: BaseView<'_>,
    overlays: &[Overlay],
    date: u64,
) -> anyhow::Result<Plan> {
    let problems = device::against_base(spec, base)?;
    if !problems.is_empty() {
        return Err(Refused(report(problems)).into());
    }
    let choices =
        Choices::of(spec, base.facts).map_err(|problem| Refused(report(vec![problem])))?;
    let context = overlay::context(spec, &choices, Some(base.facts));
    let mut rendered = Vec::new();
    for overlay in overlays {
        rendered.extend(overlay::render(overlay, &context)?);
    }
    let mut composer = Composer::new(base, date);
    for overlay in &rendered {
        composer.files(overlay)?;
    }
    composer.device_files(spec)?;
    composer.boot_settings(&rendered)?;
    composer.accounts(&rendered)?;
    composer.units(&rendered)?;
    composer.finish(&rendered, choices.reasons)
}

/// The agent for a base, as a file of this machine.
pub(crate) fn agent(spec: &DeviceSpec, facts: &Facts) -> anyhow::Result<std::path::PathBuf> {
    crate::agents::find(crate::agents::target(*spec.model, facts.architecture))
}

/// A path that a file system takes and that a tool's script can name.
fn check_path(path: &str, origin: &str) -> anyhow::Result<()> {
    let odd = |c: char| c.is_control() || c == '"';
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    if !path.starts_with('/') || parts.iter().any(|part| ["", ".", ".."].contains(part)) {
        bail!("{origin}: {path:?} is not an absolute path without `.` and `..`");
    }
    if path.contains(odd) || parts.iter().any(|part| part.len() > 255) {
        bail!(
            "{origin}: {path:?} cannot be written: it has a quote or a control character, or is too long"
        );
    }
    Ok(())
}
