use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

use super::arguments::Build;
use super::output::Output;
use super::sources::SourceFlags;
use crate::base::Base;
use crate::build;
use crate::fault::Usage;
use crate::profile::Loaded;
use crate::scratch;

/// `imgbuild build`
pub(super) fn build(arguments: &Build, output: Output) -> anyhow::Result<ExitCode> {
    let loaded = Loaded::read(&arguments.profile)?;
    let image = match &arguments.output {
        Some(image) => image.clone(),
        None => default_output(&arguments.profile)?,
    };
    to(&loaded, &image, &arguments.sources, output)?;
    Ok(ExitCode::SUCCESS)
}

/// Builds a profile's card at `image`.
pub(super) fn to(
    loaded: &Loaded,
    image: &Path,
    sources: &SourceFlags,
    output: Output,
) -> anyhow::Result<()> {
    check_output(image)?;
    super::warn(&loaded.warnings(), output);
    let base = sources.with(output, |sources| build::base(loaded, sources))?;
    output.detail(&describe(&base));
    let plan = build::build(loaded, &base, image)?;
    for operation in plan.boot.iter().chain(&plan.root) {
        output.detail(&operation.to_string());
    }
    let id = &loaded.spec.card.device.id;
    output.progress(&format!(
        "{}: a card for {id} ({})",
        image.display(),
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

/// Refuses an output that cannot be written, before any work is done for it.
fn check_output(image: &Path) -> Result<(), Usage> {
    let shown = image.display();
    if image.extension().is_none_or(|extension| extension != "img") {
        return Err(Usage(format!(
            "the image {shown} does not end in .img, the only format that is written"
        )));
    }
    let refuse = |why: String| Err(Usage(format!("the image {shown} cannot be written: {why}")));
    if image.is_dir() {
        return refuse("there is a folder of that name".into());
    }
    let folder = scratch::parent(image);
    if !folder.is_dir() {
        return refuse(format!("there is no folder {}; make it first", folder.display()));
    }
    Ok(())
}
