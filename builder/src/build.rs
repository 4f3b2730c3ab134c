//! From a loaded profile to a card image: the way through the builder, stage after stage.

use std::path::Path;

use anyhow::Context;
use imgbuild_schema::profile;

use crate::base::Base;
use crate::overlay::{self, Overlay};
use crate::plan::{self, BaseView, Plan};
use crate::profile::Loaded;
use crate::source::Sources;
use crate::source::pins::Pins;
use crate::{agents, fault, image};

/// The base that a profile names; made or fetched first, where that has not been done yet.
pub fn base(loaded: &Loaded, sources: &Sources<'_>) -> anyhow::Result<Base> {
    let wanted = loaded.base();
    if let profile::Base::Named(base) = wanted
        && !base.is_published()
    {
        // what else it takes is asked for before the ten minutes that a base takes, not after
        agents::find(agents::target(*loaded.spec.model, base.architecture()))?;
        image::check_machine()?;
    }
    sources.base(&wanted, Some(&Pins::beside(&loaded.path)))
}

/// Builds a card on `base` at `output` and returns what was written into the copy.
pub fn build(loaded: &Loaded, base: &Base, output: &Path) -> anyhow::Result<Plan> {
    let plan = plan(loaded, base)?;
    image::build(base, &plan, output)?;
    Ok(plan)
}

/// What a build would write.
pub fn plan(loaded: &Loaded, base: &Base) -> anyhow::Result<Plan> {
    let (boot, root) = (base.boot()?, base.root()?);
    let view = BaseView { facts: &base.facts, boot: &boot, root: &root };
    plan::plan(
        &loaded.spec,
        &|problems| loaded.report(problems),
        view,
        &overlays(loaded)?,
        date(base)?,
    )
}

/// The built-in overlays, then the user's own.
fn overlays(loaded: &Loaded) -> anyhow::Result<Vec<Overlay>> {
    let mut overlays = overlay::built_in();
    for folder in &loaded.spec.overlays {
        let overlay = overlay::from_folder(&loaded.beside(folder))
            .with_context(|| format!("reading the overlay {}", folder.display()))?;
        overlays.push(overlay);
    }
    Ok(overlays)
}

/// What everything written is dated: `SOURCE_DATE_EPOCH`, else the base's own date. Never today, so
/// that the same inputs give the same bytes.
fn date(base: &Base) -> anyhow::Result<u64> {
    match std::env::var("SOURCE_DATE_EPOCH") {
        Err(_) => Ok(base.facts.date()),
        // Day 0 has meanings of its own: "change the password" to shadow(5), "today" to e2fsprogs.
        Ok(text) => text.parse().map(|date: u64| date.max(86_400)).map_err(|_| {
            fault::Usage(format!("SOURCE_DATE_EPOCH is {text:?}, which is no number of seconds"))
                .into()
        }),
    }
}
