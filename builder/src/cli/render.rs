use std::process::ExitCode;

use super::arguments::Render;
use super::output::Output;
use crate::build;
use crate::profile::Loaded;
use crate::render;

/// `imgbuild render`
pub(super) fn render(arguments: &Render, output: Output) -> anyhow::Result<ExitCode> {
    let loaded = Loaded::read(&arguments.profile)?;
    super::warn(&loaded.warnings(), output);
    let folder = &arguments.output;
    render::check_output(folder)?;
    let base = arguments.sources.with(output, |sources| build::base(&loaded, sources))?;
    let plan = build::plan(&loaded, &base)?;
    render::render(&plan, folder)?;
    output.progress(&format!(
        "{}: what is on the card beside the base; secrets are in it",
        folder.display()
    ));
    Ok(ExitCode::SUCCESS)
}
