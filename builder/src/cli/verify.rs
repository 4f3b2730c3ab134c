use std::path::Path;
use std::process::ExitCode;

use super::arguments::Verify;
use super::output::{self, Output};
use super::progress::Shown;
use crate::base::{Base, check};
use crate::profile::Loaded;
use crate::source::card;
use crate::tool::Failed;
use crate::{build, image, interrupt, scratch};

/// `imgbuild verify`
pub(super) fn verify(arguments: &Verify, output: Output) -> anyhow::Result<ExitCode> {
    let Verify { image, profile, sources } = arguments;
    super::refuse_profile(image)?;
    let loaded = Loaded::read(profile)?;
    super::warn(&loaded.warnings(), output);
    // what can be wrong with a name is told before a base is made
    let card = card::open(image, &Shown::new(output))?;
    let base = sources.with(output, |sources| build::base(&loaded, sources))?;
    let plan = build::plan(&loaded, &base)?;
    let mut differences = damage(&card, image)?;
    differences.extend(image::differences(&card, &plan)?);
    output::print(&differences.iter().map(|it| format!("{it}\n")).collect::<String>())?;
    let (image, profile) = (image.display(), profile.display());
    if differences.is_empty() {
        let count = plan.boot.len() + plan.root.len();
        output.progress(&format!(
            "{image} holds {profile}: {count} files, links and folders as planned, both file systems sound"
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let count = match differences.len() {
        1 => "1 difference".to_owned(),
        count => format!("{count} differences"),
    };
    output::say(&format!("{image} does not hold {profile}: {count}"));
    Ok(ExitCode::from(1))
}

/// What the checkers of the file systems complain of.
fn damage(card: &Base, image: &Path) -> anyhow::Result<Vec<String>> {
    let scratch = scratch::Folder::new()?;
    let mut complaints = Vec::new();
    let root = check::root(&card.path, &card.facts.table.root);
    for outcome in [root, check::boot(card, scratch.path())] {
        interrupt::check()?;
        match outcome {
            Ok(()) => {}
            // it may have been unpacked to look at it
            Err(error) if error.is::<Failed>() => complaints.push(
                format!("{error:#}")
                    .replace(&*card.path.to_string_lossy(), &image.to_string_lossy()),
            ),
            Err(error) => return Err(error),
        }
    }
    Ok(complaints)
}
