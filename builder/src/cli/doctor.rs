use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;

use super::output;
use crate::tool::{self, Package};

/// `imgbuild doctor`
pub(super) fn doctor() -> anyhow::Result<ExitCode> {
    let mut missing = Vec::new();
    let mut out = std::io::stdout().lock();
    for package in tool::packages() {
        let Package { purpose, name, probe, .. } = package;
        let state = if package.is_present() { "ok" } else { "missing" };
        writeln!(out, "{state:<8} {purpose:<7} {name:<18} {probe}").context("printing the list")?;
        if !package.is_present() {
            missing.push(name);
        }
    }
    if missing.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    output::say(&format!("install what is missing: apt-get install {}", missing.join(" ")));
    Ok(ExitCode::from(3))
}
