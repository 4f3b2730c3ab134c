//! A plan as people and programs see it: every file with its content, secrets hidden.

use std::fmt::{self, Write as _};

use imgbuild_schema::DeviceSpec;
use imgbuild_schema::profile::FirstBoot;
use imgbuild_schema::report::Redactions;
use imgbuild_schema::template::{key_file_value, yaml_text};
use serde::Serialize;

use super::{Node, Operation, Plan};
use crate::overlay::{self, Content};
use crate::password;

/// The longest text that is shown.
const LONGEST: usize = 64 << 10;

/// A plan, to be shown.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// The device's id.
    pub device: String,
    /// Its model.
    pub model: &'static str,
    /// The base it starts from.
    pub base: String,
    /// The time, in seconds since 1970, that everything is dated.
    pub date: u64,
    /// What follows from the base, and why.
    pub reasons: Vec<String>,
    /// What is written, in this order.
    pub files: Vec<File>,
}

/// One path.
#[derive(Debug, Serialize)]
pub struct File {
    /// `boot` or `root`.
    pub partition: &'static str,
    /// The path on its partition.
    pub path: String,
    /// `file`, `folder` or `link`.
    pub kind: &'static str,
    /// The permission bits, in octal.
    pub mode: String,
    /// The owner.
    pub uid: u32,
    /// The owner's group.
    pub gid: u32,
    /// Who wants it so.
    pub from: String,
    /// Is something there in the base?
    pub replaces: bool,
    /// What it holds, if it is a text; where it leads, if it is a link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

impl Shown {
    /// A plan for a device; `redactions` hides what was looked up.
    pub fn new(spec: &DeviceSpec, plan: &Plan, redactions: &Redactions) -> Self {
        let redactions = with_derived(spec, redactions);
        let file = |partition| {
            let redactions = &redactions;
            move |operation| file(operation, partition, redactions)
        };
        Self {
            device: spec.card.device.id.to_string(),
            model: spec.model.name(),
            base: spec.base.to_string(),
            date: plan.date,
            reasons: plan.reasons.clone(),
            files: plan
                .boot
                .iter()
                .map(file("boot"))
                .chain(plan.root.iter().map(file("root")))
                .collect(),
        }
    }
}

fn file(operation: &Operation, partition: &'static str, redactions: &Redactions) -> File {
    let Operation { path, node, mode, uid, gid, replaces, origin } = operation;
    let (kind, content) = match node {
        Node::Folder => ("folder", None),
        Node::Leaf(Content::Link(target)) => ("link", Some(target.clone())),
        Node::Leaf(Content::HostFile(_)) => ("file", None),
        Node::Leaf(Content::Bytes(bytes)) => ("file", text(bytes)),
    };
    File {
        partition,
        path: path.clone(),
        kind,
        mode: format!("{mode:04o}"),
        uid: *uid,
        gid: *gid,
        from: origin.clone(),
        replaces: *replaces,
        content: content.map(|content| without_hashes(path, &redactions.apply(&content))),
    }
}

fn text(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= LONGEST)?;
    (!text.contains('\0')).then(|| text.to_owned())
}

/// The base's own accounts may have passwords, whose hashes can be guessed at.
fn without_hashes(path: &str, content: &str) -> String {
    if !path.ends_with("shadow") && !path.ends_with("shadow-") {
        return content.to_owned();
    }
    let line = |line: &str| match line.split(':').nth(1) {
        Some(hash) if hash.contains('$') => line.replacen(hash, "‹hash›", 1) + "\n",
        _ => format!("{line}\n"),
    };
    content.lines().map(line).collect()
}

/// What was made from secrets is hidden like them.
pub(crate) fn with_derived(spec: &DeviceSpec, redactions: &Redactions) -> Redactions {
    let mut all = redactions.clone();
    for network in spec.wifi.iter().flat_map(|wifi| &wifi.networks) {
        let Some(passphrase) = &network.passphrase else { continue };
        let shown = redactions.apply(passphrase.expose());
        let digits: String =
            passphrase.expose().bytes().map(|byte| format!("{byte:02x}")).collect();
        all.add(&digits, &shown);
        all.add(&key_file_value(passphrase.expose()), &shown);
        all.add(&quoted(passphrase.expose()), &shown);
        all.add(password::wpa_key(&network.ssid, passphrase).expose(), &shown);
    }
    if let Some(access) = &spec.access
        && let Some(password) = &access.password
    {
        let hash = password::hash(password, spec.card.device.id.as_str(), &access.user);
        let shown = redactions.apply(password.expose());
        all.add(hash.expose(), &shown);
        all.add(&quoted(hash.expose()), &shown);
    }
    if *spec.first_boot == FirstBoot::CloudInit {
        all.add(&overlay::instance_id(spec), "‹from all settings›");
    }
    all
}

/// What stands between YAML's quotes for a text.
fn quoted(text: &str) -> String {
    let quoted = yaml_text(text);
    quoted[1..quoted.len() - 1].to_owned()
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} on {}", self.device, self.model, self.base)?;
        for reason in &self.reasons {
            writeln!(f, "{reason}")?;
        }
        for file in &self.files {
            file.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, path, kind, mode, uid, gid, from, replaces, content } = self;
        let verb = if *replaces { "replaces" } else { "adds" };
        write!(f, "\n{partition} {path}\n  {verb} a {kind}, {mode} {uid}:{gid}, from {from}")?;
        match (*kind, content) {
            ("link", Some(target)) => write!(f, ", to {target}")?,
            (_, Some(content)) => {
                f.write_str("\n")?;
                for line in content.lines() {
                    write!(f, "  | {line}")?;
                    f.write_char('\n')?;
                }
                return Ok(());
            }
            _ => {}
        }
        f.write_char('\n')
    }
}
