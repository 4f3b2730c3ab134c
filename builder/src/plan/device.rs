//! The device held against its base: what only the image can tell.

use imgbuild_schema::{Code, DeviceSpec, Problem};

use super::BaseView;
use crate::base::tree::Tree;

/// What the device wants and the base does not have.
pub(super) fn against_base(spec: &DeviceSpec, base: BaseView<'_>) -> anyhow::Result<Vec<Problem>> {
    let mut problems = Vec::new();
    problems.extend(model(spec, base));
    problems.extend(timezone(spec, base.root)?);
    problems.extend(locale(spec, base.root)?);
    problems.extend(bus(spec, base.root)?);
    Ok(problems)
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
    let kernels = kernels(root)?;
    // one without modules has its drivers inside, where nobody can look
    if kernels.is_empty() || kernels.iter().any(|modules| has_module(modules, BUS_MODULE)) {
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

/// The modules of each kernel in the base, by their paths: those apart from it and those inside (modprobe(8)).
fn kernels(root: &dyn Tree) -> anyhow::Result<Vec<String>> {
    const FOLDER: &str = "/usr/lib/modules";
    let mut kernels = Vec::new();
    for version in root.list(FOLDER)? {
        let read = |name: &str| root.read_text(&format!("{FOLDER}/{version}/{name}"));
        if let Some(modules) = read("modules.dep")? {
            kernels.push(modules + &read("modules.builtin")?.unwrap_or_default());
        }
    }
    Ok(kernels)
}

fn has_module(modules: &str, name: &str) -> bool {
    let file = format!("/{name}.ko");
    modules.lines().any(|line| line.split(':').next().is_some_and(|path| path.contains(&file)))
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
