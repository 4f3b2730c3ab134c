use std::process::ExitCode;

use super::arguments::{Diff, Inspect, ShownFormat};
use super::output::{self, Output};
use super::progress::Shown;
use crate::diff;
use crate::inspect::Inspection;
use crate::source::card;

/// `imgbuild inspect`
pub(super) fn inspect(arguments: &Inspect, output: Output) -> anyhow::Result<ExitCode> {
    let image = &arguments.image;
    super::refuse_profile(image)?;
    let inspection = Inspection::of(card::open(image, &Shown::new(output))?, image)?;
    let text = match arguments.format {
        ShownFormat::Human => inspection.to_string(),
        ShownFormat::Json => serde_json::to_string_pretty(&inspection)? + "\n",
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// `imgbuild diff`, whose exit status is diff's own: 1 if there is a difference.
pub(super) fn diff(arguments: &Diff, output: Output) -> anyhow::Result<ExitCode> {
    for image in [&arguments.old, &arguments.new] {
        super::refuse_profile(image)?;
    }
    let shown = Shown::new(output);
    let (old, new) = (card::open(&arguments.old, &shown)?, card::open(&arguments.new, &shown)?);
    let differences = diff::between(&old, &new)?;
    let text = match arguments.format {
        ShownFormat::Human => differences.iter().map(|it| format!("{it}\n")).collect(),
        ShownFormat::Json => serde_json::to_string_pretty(&differences)? + "\n",
    };
    output::print(&text)?;
    Ok(if differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
