use std::process::ExitCode;

use super::arguments::{Diff, Inspect, ShownFormat};
use super::output;
use crate::base::Base;
use crate::diff;
use crate::inspect::Inspection;

/// `imgbuild inspect`
pub(super) fn inspect(arguments: &Inspect) -> anyhow::Result<ExitCode> {
    let inspection = Inspection::of(&arguments.image)?;
    let text = match arguments.format {
        ShownFormat::Human => inspection.to_string(),
        ShownFormat::Json => serde_json::to_string_pretty(&inspection)? + "\n",
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// `imgbuild diff`, whose exit status is diff's own: 1 if there is a difference.
pub(super) fn diff(arguments: &Diff) -> anyhow::Result<ExitCode> {
    let (old, new) = (Base::open(&arguments.old)?, Base::open(&arguments.new)?);
    let differences = diff::between(&old, &new)?;
    let text = match arguments.format {
        ShownFormat::Human => differences.iter().map(|it| format!("{it}\n")).collect(),
        ShownFormat::Json => serde_json::to_string_pretty(&differences)? + "\n",
    };
    output::print(&text)?;
    Ok(if differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
