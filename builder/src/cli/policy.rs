use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::output::{self, Output};
use crate::policy;
use crate::profile::Loaded;

#[derive(Debug, Args)]
pub(super) struct Policy {
    /// The profile
    profile: PathBuf,
    /// The number of the AWS account, 12 digits
    #[arg(long, value_name = "NUMBER")]
    account: String,
}

/// `imgbuild policy`
pub(super) fn policy(arguments: &Policy, output: Output) -> anyhow::Result<ExitCode> {
    let loaded = Loaded::read(&arguments.profile)?;
    super::warn(&loaded.warnings(), output);
    let document = policy::document(&loaded.spec, &arguments.account)?;
    output::data(&format!("{document:#}\n"))?;
    Ok(ExitCode::SUCCESS)
}
