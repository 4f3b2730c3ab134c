//! Starts the long form of the schema's fuzz test; it lies with the other tests, so that the tasks need none of
//! what it needs.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, ensure};

/// Runs for some seconds from this seed; what is found lies in `target/fuzz`.
pub(crate) fn run(seconds: u64, seed: u64) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let folder = root.join("target/fuzz");
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    let status = cargo()
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

#[expect(
    clippy::disallowed_methods,
    reason = "the builder's tool runner is for the product's tools"
)]
fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}
