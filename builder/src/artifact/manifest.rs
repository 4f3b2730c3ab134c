//! What went into an image and what was written, with hashes: to look up later, and to compare by.
//!
//! It holds no secret, and no hash of anything that holds one: a short secret can be guessed, and a hash tells
//! when the guess is right. The profile is hashed with stars in place of the secrets that are written out in it; of
//! what not everybody may read on the device only the place is told.

use std::fs::File;

use anyhow::Context;
use imgbuild_schema::report::Redactions;
use serde::Serialize;

use super::Origin;
use crate::base::facts::Facts;
use crate::digest::{self, Written, sha256};
use crate::overlay::{Content, Volume};
use crate::plan::{Node, Operation, redactions_with_derived};
use crate::{secrecy, tool};

/// The version of this form.
const FORMAT: u32 = 1;

/// A manifest, as it is written.
#[derive(Debug, Serialize)]
pub(super) struct Manifest {
    format: u32,
    device: String,
    model: &'static str,
    /// Seconds since 1970: what everything that was written is dated.
    date: u64,
    inputs: Inputs,
    /// What is known of the base.
    facts: Facts,
    operations: Vec<Row>,
    tools: Vec<Tool>,
    outputs: Vec<Output>,
}

#[derive(Debug, Serialize)]
struct Inputs {
    base: BaseInput,
    /// The profile's files, itself first.
    profile: Vec<ProfileFile>,
}

#[derive(Debug, Serialize)]
struct BaseInput {
    name: String,
    bytes: u64,
    sha256: String,
}

#[derive(Debug, Serialize)]
struct ProfileFile {
    file: String,
    /// Of its text with stars in place of secrets.
    sha256_without_secrets: String,
}

/// One operation of the plan.
#[derive(Debug, Serialize)]
struct Row {
    partition: &'static str,
    path: String,
    kind: &'static str,
    mode: String,
    uid: u32,
    gid: u32,
    from: String,
    replaces: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    /// Its content is not told, nor hashed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    secret: bool,
}

#[derive(Debug, Serialize)]
struct Tool {
    name: &'static str,
    version: String,
}

/// A file that was made.
#[derive(Debug, Serialize)]
pub(super) struct Output {
    file: String,
    bytes: u64,
    sha256: String,
}

impl Output {
    pub(super) fn new(file: &str, written: &Written) -> Self {
        Self { file: file.to_owned(), bytes: written.bytes, sha256: written.sha256.clone() }
    }
}

impl Manifest {
    pub(super) fn new(origin: Origin<'_>, outputs: Vec<Output>) -> anyhow::Result<Self> {
        let Origin { loaded, base, plan, base_digest, .. } = origin;
        let spec = &loaded.spec;
        let redactions = redactions_with_derived(spec, loaded.redactions());
        let rows = |volume, operations: &[Operation]| {
            operations
                .iter()
                .map(|operation| row(volume, operation, &redactions))
                .collect::<anyhow::Result<Vec<_>>>()
        };
        let mut operations = rows(Volume::Boot, &plan.boot)?;
        operations.append(&mut rows(Volume::Root, &plan.root)?);
        Ok(Self {
            format: FORMAT,
            device: spec.card.device.id.to_string(),
            model: spec.model.name(),
            date: plan.date,
            inputs: Inputs {
                base: BaseInput {
                    name: spec.base.to_string(),
                    bytes: base.facts.length,
                    sha256: base_digest.wait().context("hashing the base")?,
                },
                profile: profile(loaded),
            },
            facts: base.facts.clone(),
            operations,
            tools: tools(plan.grown_root.is_some())?,
            outputs,
        })
    }
}

fn profile(loaded: &crate::profile::Loaded) -> Vec<ProfileFile> {
    let file = |(path, text): (String, &str)| ProfileFile {
        file: path,
        sha256_without_secrets: sha256(text.as_bytes()),
    };
    loaded.texts().map(file).collect()
}

fn row(volume: Volume, operation: &Operation, redactions: &Redactions) -> anyhow::Result<Row> {
    let Operation { path, node, mode, uid, gid, replaces, origin } = operation;
    let mut row = Row {
        partition: volume.name(),
        path: path.clone(),
        kind: "file",
        mode: format!("{mode:04o}"),
        uid: *uid,
        gid: *gid,
        from: origin.clone(),
        replaces: *replaces,
        target: None,
        sha256: None,
        secret: false,
    };
    match node {
        Node::Folder => row.kind = "folder",
        Node::Leaf(Content::Link(target)) => {
            row.kind = "link";
            row.target = Some(target.clone());
        }
        Node::Leaf(content) => {
            // what only some may read on the device is for nobody's eyes here either
            row.secret = mode & 0o004 == 0
                || secrecy::is_place_of_one(volume, path)
                || holds_secret(content, redactions)?;
            if !row.secret {
                row.sha256 = Some(hash(content)?);
            }
        }
    }
    Ok(row)
}

fn holds_secret(content: &Content, redactions: &Redactions) -> anyhow::Result<bool> {
    let bytes = match content {
        Content::Bytes(bytes) => bytes.clone(),
        Content::HostFile(path) => {
            std::fs::read(path).with_context(|| format!("reading {}", path.display()))?
        }
        Content::Link(_) => return Ok(false),
    };
    let text = String::from_utf8_lossy(&bytes);
    Ok(redactions.apply(&text) != text)
}

fn hash(content: &Content) -> anyhow::Result<String> {
    match content {
        Content::Bytes(bytes) => Ok(sha256(bytes)),
        Content::Link(target) => Ok(sha256(target.as_bytes())),
        Content::HostFile(path) => File::open(path)
            .and_then(digest::of_reader)
            .with_context(|| format!("reading {}", path.display())),
    }
}

/// The tools that had a part in it, as they call themselves; in a root file system that `has_grown`, more of them.
fn tools(has_grown: bool) -> anyhow::Result<Vec<Tool>> {
    let version = |program: &'static str, argument: &str| -> anyhow::Result<String> {
        let output = tool::Tool::new(program, "asking for a version").arg(argument).output()?;
        // e2fsprogs tell their version as if it were a complaint
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        let is_version =
            |word: &&str| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.');
        let found = said.split_whitespace().find(is_version);
        found
            .map(|version| version.trim_end_matches([',', '.']).to_owned())
            .with_context(|| format!("{program} does not say its version"))
    };
    let mut tools = vec![
        Tool { name: "imgbuild", version: env!("CARGO_PKG_VERSION").to_owned() },
        Tool { name: "debugfs", version: version("debugfs", "-V")? },
        Tool { name: "e2fsck", version: version("e2fsck", "-V")? },
        Tool { name: "dumpe2fs", version: version("dumpe2fs", "-V")? },
        Tool { name: "mtools", version: version("mcopy", "--version")? },
    ];
    if has_grown {
        tools.push(Tool { name: "resize2fs", version: version("resize2fs", "-V")? });
        tools.push(Tool { name: "sfdisk", version: version("sfdisk", "--version")? });
    }
    Ok(tools)
}
