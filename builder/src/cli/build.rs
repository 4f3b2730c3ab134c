use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use imgbuild_schema::profile;

use super::arguments::Build;
use super::output::Output;
use super::progress::Shown;
use super::sources::SourceFlags;
use crate::artifact::{Format, Target};
use crate::base::Base;
use crate::build;
use crate::profile::Loaded;
use crate::progress::Watch;

/// `imgbuild build`
pub(super) fn build(arguments: &Build, output: Output) -> anyhow::Result<ExitCode> {
    let loaded = Loaded::read(&arguments.profile)?;
    let image = match &arguments.output.path {
        Some(image) => image.clone(),
        None => default_output(&arguments.profile)?,
    };
    let target = Target::new(&image)?;
    target.spare(&loaded.path, "the profile")?;
    if let profile::Base::File(base) = loaded.base() {
        target.spare(&base.file, "the base")?;
    }
    let described = !arguments.output.image_only;
    to(&loaded, &target, described, &arguments.sources, output)?;
    Ok(ExitCode::SUCCESS)
}

/// Builds a profile's card at `target`, with what describes it beside it if `described`.
pub(super) fn to(
    loaded: &Loaded,
    target: &Target,
    described: bool,
    sources: &SourceFlags,
    output: Output,
) -> anyhow::Result<()> {
    super::warn(&loaded.warnings(), output);
    let base = sources.with(output, |sources| build::base(loaded, sources))?;
    output.detail(&describe(&base));
    let shown = Shown::new(output);
    let title = if target.format() == Format::Plain { "hashing" } else { "compressing" };
    let plan = build::build(loaded, &base, target, described, &shown.done_of(title))?;
    shown.end();
    for operation in plan.boot.iter().chain(&plan.root) {
        output.detail(&operation.to_string());
    }
    let id = &loaded.spec.card.device.id;
    output.progress(&format!(
        "{}: a card for {id} ({})",
        target.path().display(),
        loaded.spec.model.name()
    ));
    Ok(())
}

fn describe(base: &Base) -> String {
    let facts = &base.facts;
    let boards = facts.firmware.boards.join(", ");
    format!(
        "base {}: {}, {}, for {boards}",
        base.path.display(),
        facts.release.name,
        facts.architecture.name()
    )
}

/// The profile's name, with the ending of an image, here.
fn default_output(profile: &Path) -> anyhow::Result<PathBuf> {
    let stem = profile.file_stem().with_context(|| format!("{} has no name", profile.display()))?;
    Ok(Path::new(stem).with_extension("img"))
}
