//! The root partition, by debugfs.
//!
//! Debugfs works inside the image file and needs no rights. Its traps: it ends with status 0 whatever
//! happens, so that silence on its standard error is the only proof; it does not replace what is there; an
//! owner and a mode must be set each time; a path cannot hold a quote (the plan has none).

use std::fmt::Write as _;
use std::path::Path;

use anyhow::bail;

use super::{Scratch, inside};
use crate::base::table::Partition;
use crate::overlay::Content;
use crate::plan::{Node, Operation, Plan};
use crate::tool::{Failed, Tool, foremost, said};

/// Writes the plan's root files.
pub(super) fn apply(
    image: &Path,
    partition: &Partition,
    plan: &Plan,
    scratch: &Scratch,
) -> anyhow::Result<()> {
    let mut script = String::new();
    for (index, operation) in plan.root.iter().enumerate() {
        let source = scratch.file(plan.boot.len() + index, operation)?;
        commands(operation, source.as_deref(), plan.date, &mut script)?;
    }
    let file_system = inside(image, "?offset=", partition);
    run_script(&file_system, script, plan.date)
}

/// The commands of one operation.
fn commands(
    operation: &Operation,
    source: Option<&Path>,
    date: u64,
    script: &mut String,
) -> anyhow::Result<()> {
    let Operation { path, mode, uid, gid, replaces, .. } = operation;
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let mut line = |text: std::fmt::Arguments<'_>| {
        script.write_fmt(text).expect("a string takes everything");
        script.push('\n');
    };
    // By its name alone, from within its folder: asked for `/name`, debugfs takes what is before the slash for the
    // folder that it is in, which may be any.
    line(format_args!("cd \"{folder}/\""));
    let kind = match &operation.node {
        Node::Folder if *replaces => 0o040_000,
        Node::Folder => {
            line(format_args!("mkdir \"{name}\""));
            0o040_000
        }
        Node::Leaf(content) => {
            if *replaces {
                line(format_args!("rm \"{name}\""));
            }
            match (content, source) {
                (Content::Link(target), _) => {
                    line(format_args!("symlink \"{name}\" \"{}\"", checked(target)?));
                    0o120_000
                }
                (_, Some(source)) => {
                    let source = source.to_str().unwrap_or_default();
                    line(format_args!("write \"{}\" \"{name}\"", checked(source)?));
                    0o100_000
                }
                (_, None) => bail!("{path}: nothing to write"),
            }
        }
    };
    line(format_args!("sif \"{path}\" mode 0{:o}", kind | u32::from(*mode)));
    line(format_args!("sif \"{path}\" uid {uid}"));
    line(format_args!("sif \"{path}\" gid {gid}"));
    for time in ["atime", "ctime", "mtime", "crtime"] {
        line(format_args!("sif \"{path}\" {time} @{date}"));
    }
    Ok(())
}

/// A text that a script can hold between quotes.
fn checked(text: &str) -> anyhow::Result<&str> {
    if text.is_empty() || text.contains(|c: char| c == '"' || c.is_control()) {
        bail!(
            "{text:?} cannot be given to debugfs: it is empty or has a quote or a control character"
        );
    }
    Ok(text)
}

fn run_script(file_system: &str, script: String, date: u64) -> anyhow::Result<()> {
    let title = "writing files with debugfs";
    let output = Tool::new("debugfs", title)
        .args(["-w", "-f", "-", file_system])
        .env("E2FSPROGS_FAKE_TIME", date.to_string())
        .input(script)
        .without_flushing()
        .output()?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    // silence, but for the banner
    let complaints = said(&stderr);
    if complaints.is_empty() && output.status.success() {
        return Ok(());
    }
    Err(Failed {
        title: title.to_owned(),
        program: "debugfs".to_owned(),
        how: "complained".to_owned(),
        complaint: foremost(&complaints),
    }
    .into())
}
