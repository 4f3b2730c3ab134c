//! Starts the long form of the schema's fuzz test; it lies with the other tests, so that the tasks need none of
//! what it needs.

use std::fs;

use anyhow::{Context, ensure};

use crate::project;

/// Runs for some seconds from this seed; what is found lies in `target/fuzz`.
pub(crate) fn run(seconds: u64, seed: u64) -> anyhow::Result<()> {
    let root = project::root()?;
    let folder = root.join("target/fuzz");
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    let status = project::cargo()
        .args(["test", "--quiet", "--locked", "--package", "imgbuild-schema", "--test", "schema"])
        .args(["--", "--ignored", "--nocapture", "fuzz::"])
        .env("IMGBUILD_FUZZ_SECONDS", seconds.to_string())
        .env("IMGBUILD_FUZZ_SEED", seed.to_string())
        .env("IMGBUILD_FUZZ_FOLDER", &folder)
        .current_dir(&root)
        .status()
        .context("starting cargo")?;
    ensure!(
        status.success(),
        "something was found; an input that ended the process is in {}",
        folder.join("current.yaml").display()
    );
    Ok(())
}
