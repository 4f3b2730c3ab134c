//! The device held against its base: what only the image can tell.

use imgbuild_schema::{Code, DeviceSpec, Problem};

use super::BaseView;
use crate::base::kernels;
use crate::base::tree::Tree;

/// What the device wants and the base does not have.
pub(super) fn against_base(spec: &DeviceSpec, base: BaseView<'_>) -> anyhow::Result<Vec<Problem>> {
    let mut problems = Vec::new();
    problems.extend(table(spec, base));
    problems.extend(model(spec, base));
    problems.extend(timezone(spec, base.root)?);
    problems.extend(locale(spec, base.root)?);
    problems.extend(bus(spec, base.root)?);
    Ok(problems)
}

/// A partition table that the kernel would not find: it looks for the other one at the end of the card, which is further
/// off than that of the image.
fn table(spec: &DeviceSpec, base: BaseView<'_>) -> Option<Problem> {
    let damage = base.facts.table.label.gpt.as_ref()?.damage?;
    let message = format!("{damage}, at the beginning of {}", *spec.base);
    Some(
        Problem::new(Code::NotInBase, spec.base.span(), message)
            .label("would not start")
            .help("the one at its end is whole: `sfdisk --dump IMAGE > table; sfdisk IMAGE < table` writes both anew"),
    )
}

fn model(spec: &DeviceSpec, base: BaseView<'_>) -> Option<Problem> {
    let (model, facts) = (*spec.model, base.facts);
    let name = spec.base.to_string();
    let problem =
        |message: String| Problem::new(Code::ModelNeedsOtherBase, spec.model.span(), message);
    if !model.runs(facts.architecture) {
        let architecture = facts.architecture.name();
        return Some(
            problem(format!(
                "{} cannot run {name}, which is made for {architecture}",
                model.name()
            ))
            .label("is another processor")
            .help("choose a base for this model"),
        );
    }
    if let Some((_, reason)) =
        facts.firmware.crippled.iter().find(|(name, _)| *name == model.name())
    {
        return Some(
            problem(format!("{name} starts a {}, but {reason}", model.name()))
                .label("would be of no use")
                .help("choose a base with a newer kernel"),
        );
    }
    if facts.firmware.blind.contains(&model.name()) {
        return Some(
            problem(format!(
                "{name} has a GPT, which the boot ROM of a {} does not read",
                model.name()
            ))
            .label("would find nothing to start from")
            .help("choose a base with an MBR, or one with both (a hybrid)"),
        );
    }
    if !facts.firmware.boards.contains(&model.name()) {
        let boards = facts.firmware.boards.join(", ");
        return Some(
            problem(format!("{name} does not hold what {} needs to start", model.name()))
                .label("is not among its boards")
                .help(format!(
                    "it boots {}",
                    if boards.is_empty() { "no Raspberry Pi" } else { &boards }
                )),
        );
    }
    None
}

/// How programs reach an I²C bus, and so every sensor on it.
const BUS_MODULE: &str = "i2c-dev";

/// A bus that no kernel of the base lets programs reach.
fn bus(spec: &DeviceSpec, root: &dyn Tree) -> anyhow::Result<Option<Problem>> {
    let mut sensors = spec.card.sensors.iter().filter(|sensor| !sensor.driver.i2c().is_empty());
    let Some(sensor) = sensors.next() else { return Ok(None) };
    let kernels = kernels::read(root)?;
    if kernels.is_empty() || kernels.iter().any(|kernel| kernel.has(BUS_MODULE)) {
        return Ok(None);
    }
    let message = format!(
        "the base's kernel has no module {BUS_MODULE}, and the sensor `{}` is read through it",
        sensor.id
    );
    Ok(Some(
        Problem::new(Code::NotInBase, spec.base.span(), message)
            .label("cannot read it")
            .help("choose a base with a complete kernel"),
    ))
}

fn timezone(spec: &DeviceSpec, root: &dyn Tree) -> anyhow::Result<Option<Problem>> {
    let timezone = &spec.timezone;
    // a link in there is a former name; it is followed by whoever opens it
    if root.exists(&format!("/usr/share/zoneinfo/{}", timezone.as_str()))? {
        return Ok(None);
    }
    Ok(Some(
        Problem::new(
            Code::NotInBase,
            timezone.span(),
            format!("the base knows no time zone `{}`", timezone.as_str()),
        )
        .label("is not in its database")
        .help("zones are named like `Europe/Amsterdam`, with capitals, or `UTC`"),
    ))
}

fn locale(spec: &DeviceSpec, root: &dyn Tree) -> anyhow::Result<Option<Problem>> {
    let locale = &spec.locale;
    let supported = root.read_text("/usr/share/i18n/SUPPORTED")?.unwrap_or_default();
    let known =
        supported.lines().any(|line| line.split_whitespace().next() == Some(locale.as_str()));
    if known || locale.as_str() == "C.UTF-8" {
        return Ok(None);
    }
    Ok(Some(
        Problem::new(
            Code::NotInBase,
            locale.span(),
            format!("the base knows no locale `{}`", locale.as_str()),
        )
        .label("is not among its locales")
        .help("locales are named like `en_GB.UTF-8`; `C.UTF-8` is always there"),
    ))
}
