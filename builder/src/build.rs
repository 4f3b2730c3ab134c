//! From a loaded profile to a card image: the way through the builder, stage after stage.

use std::sync::Arc;

use anyhow::Context;
use imgbuild_schema::profile;

use crate::agents::Crate;
use crate::artifact::{self, Target};
use crate::base::Base;
use crate::digest::Background;
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

/// Builds a card on `base` at `target`, with what describes it beside it if `described`, and returns what was
/// written into the copy.
pub fn build(
    loaded: &Loaded,
    base: &Base,
    target: &Target,
    described: bool,
    progress: artifact::Progress<'_>,
) -> anyhow::Result<Plan> {
    let plan = plan(loaded, base)?;
    // hashed while the image is being made: what is read first is in memory for the copy
    let description = if described { Some(description(loaded, base)?) } else { None };
    let image = image::make(base, &plan, target.path())?;
    let origin = description.map(|(crates, base_digest)| artifact::Origin {
        loaded,
        base,
        plan: &plan,
        base_digest,
        crates,
    });
    artifact::put(image, target, origin, progress)?;
    Ok(plan)
}

/// What a description takes beside the plan: the crates of the agent, and the hash of the base, begun.
fn description(loaded: &Loaded, base: &Base) -> anyhow::Result<(Vec<Crate>, Background)> {
    let target = agents::target(*loaded.spec.model, base.facts.architecture);
    let crates = agents::crates(&agents::find(target)?)?;
    Ok((crates, Background::start(Arc::clone(base.file()))))
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
