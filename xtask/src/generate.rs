//! Files that are made from the sources: the profile's schema and its reference page.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail, ensure};

use crate::project;

/// Each file with the command of `imgbuild` that prints it.
const FILES: [(&str, &str); 2] =
    [("profiles/schema.json", "schema"), ("profiles/reference.md", "explain")];

/// Writes every file, or, with `check`, says which is not as it would be written.
pub(crate) fn run(check: bool) -> anyhow::Result<()> {
    let root = project::root()?;
    for (file, command) in FILES {
        let path = root.join(file);
        let text = printed(&root, command)?;
        if fs::read(&path).is_ok_and(|there| there == text) {
            continue;
        }
        if check {
            bail!("{file} is not what the sources say; run `cargo xtask gen`");
        }
        fs::write(&path, text).with_context(|| format!("writing {file}"))?;
    }
    Ok(())
}

fn printed(root: &Path, command: &str) -> anyhow::Result<Vec<u8>> {
    let output = project::cargo()
        .args(["run", "--quiet", "--locked", "--package", "imgbuild", "--", command])
        .current_dir(root)
        .output()
        .context("starting cargo")?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "imgbuild {command}: {complaint}");
    Ok(output.stdout)
}
