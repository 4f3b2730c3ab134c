use std::process::ExitCode;

use super::arguments::{Plan, ShownFormat};
use super::output::{self, Output};
use crate::build;
use crate::plan::Shown;
use crate::profile::Loaded;

/// `imgbuild plan`
pub(super) fn plan(arguments: &Plan, output: Output) -> anyhow::Result<ExitCode> {
    let loaded = Loaded::read(&arguments.profile)?;
    super::warn(&loaded.warnings(), output);
    let base = arguments.sources.with(output, |sources| build::base(&loaded, sources))?;
    let plan = build::plan(&loaded, &base)?;
    let shown = Shown::new(&loaded.spec, &plan, loaded.redactions());
    let text = match arguments.format {
        ShownFormat::Human => shown.to_string(),
        ShownFormat::Json => serde_json::to_string_pretty(&shown)? + "\n",
    };
    output::data(&text)?;
    Ok(ExitCode::SUCCESS)
}
