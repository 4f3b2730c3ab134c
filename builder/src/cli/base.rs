use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use imgbuild_schema::Sp;
use imgbuild_schema::profile::{self, FileBase, NamedBase};

use super::arguments::ShownFormat;
use super::output::{self, Output};
use super::sources::SourceFlags;
use crate::base::cache::Bases;
use crate::build;
use crate::fault::Usage;
use crate::inspect::Description;
use crate::profile::{Loaded, is_called_so};
use crate::source::pins::Pins;
use crate::source::room::{self, Cached, Kind};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the images that are kept
    List(List),
    /// Get images to start from, so that a build needs no network
    Fetch(Wanted),
    /// Look anew at what the bases of profiles stand for, and pin that in imgbuild.lock
    Update(Wanted),
    /// Remove what was used the longest time ago, until the cache is below its limit
    Prune(Prune),
    /// Print what an image is, as it was read out of it
    Inspect(Inspect),
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// How they are printed
    #[arg(long, value_enum, default_value_t)]
    format: ShownFormat,
}

#[derive(Debug, Args)]
pub(super) struct Wanted {
    /// Profiles (.yaml), or bases such as raspios-lite-arm64 or raspios-lite-arm64@bookworm
    #[arg(required = true, value_name = "BASE|PROFILE")]
    wanted: Vec<PathBuf>,
    #[command(flatten)]
    sources: SourceFlags,
}

#[derive(Debug, Args)]
pub(super) struct Prune {
    /// Remove all that nobody uses, bases that were made here included
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Args)]
pub(super) struct Inspect {
    /// An image, compressed or not, or a base
    #[arg(value_name = "IMAGE|BASE")]
    image: PathBuf,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    format: ShownFormat,
    #[command(flatten)]
    sources: SourceFlags,
}

/// `imgbuild base`
pub(super) fn base(command: &Command, output: Output) -> anyhow::Result<ExitCode> {
    match command {
        Command::List(list) => self::list(list.format)?,
        Command::Fetch(wanted) => fetch(wanted, output)?,
        Command::Update(wanted) => update(wanted, output)?,
        Command::Prune(prune) => self::prune(prune.all, output)?,
        Command::Inspect(inspect) => self::inspect(inspect, output)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn list(format: ShownFormat) -> anyhow::Result<()> {
    let cached = room::list(&Bases::of_user()?)?;
    let text = match format {
        ShownFormat::Json => serde_json::to_string_pretty(&cached)? + "\n",
        ShownFormat::Human => cached.iter().map(row).collect(),
    };
    output::data(&text)
}

/// A line about something in the cache.
fn row(cached: &Cached) -> String {
    let Cached { kind, name, bytes, sha256, .. } = cached;
    let kind = match kind {
        Kind::Made => "made",
        Kind::Image => "image",
        Kind::Part => "part",
        Kind::Remains => "remains",
    };
    let sha256 = sha256.as_ref().map_or(String::new(), |it| format!(" sha256:{}", &it[..12]));
    format!("{kind:<8}{:>6} MiB  {name}{sha256}\n", bytes >> 20)
}

fn fetch(wanted: &Wanted, output: Output) -> anyhow::Result<()> {
    for wanted_base in &wanted.wanted {
        let base = wanted.sources.with(output, |sources| match meant(wanted_base)? {
            Meant::Profile(loaded) => build::base(&loaded, sources),
            Meant::Base(base) => sources.base(&base, None),
        })?;
        output.progress(&format!("{}: {}", wanted_base.display(), base.path.display()));
    }
    Ok(())
}

fn update(wanted: &Wanted, output: Output) -> anyhow::Result<()> {
    for path in &wanted.wanted {
        let Meant::Profile(loaded) = meant(path)? else {
            let complaint = format!(
                "{} is no profile: imgbuild.lock lies beside profiles, so one is wanted here",
                path.display()
            );
            return Err(Usage(complaint).into());
        };
        let pins = Pins::beside(&loaded.path);
        let moved = wanted.sources.with(output, |sources| sources.update(&loaded.base(), &pins))?;
        let Some(moved) = moved else {
            output.progress(&format!("{}: its base is not pinned", path.display()));
            continue;
        };
        let day = |pin: &crate::source::pins::Pin| {
            pin.release_date.clone().unwrap_or_else(|| format!("sha256:{}", &pin.sha256[..12]))
        };
        let how = match &moved.before {
            Some(before) if *before == moved.now => format!("stays {}", day(&moved.now)),
            Some(before) => format!("{} → {}", day(before), day(&moved.now)),
            None => format!("now {}", day(&moved.now)),
        };
        output.progress(&format!("{}: {how}, pinned in {}", moved.base, pins.path().display()));
    }
    Ok(())
}

fn prune(all: bool, output: Output) -> anyhow::Result<()> {
    let gone = room::prune(&Bases::of_user()?, room::limit()?, all)?;
    let mut freed = 0;
    for cached in &gone {
        freed += cached.bytes;
        output::data(&row(cached))?;
    }
    output.progress(&format!("{} MiB freed", freed >> 20));
    Ok(())
}

fn inspect(inspect: &Inspect, output: Output) -> anyhow::Result<()> {
    let base = inspect.sources.with(output, |sources| match meant(&inspect.image)? {
        Meant::Profile(loaded) => build::base(&loaded, sources),
        Meant::Base(base) => sources.base(&base, None),
    })?;
    let description = Description::of(&base)?;
    output::print(&match inspect.format {
        ShownFormat::Json => serde_json::to_string_pretty(&description)? + "\n",
        ShownFormat::Human => description.to_string(),
    })
}

/// What an argument means.
enum Meant {
    Profile(Box<Loaded>),
    Base(profile::Base),
}

/// A profile, the name of a base, or a file.
fn meant(argument: &Path) -> anyhow::Result<Meant> {
    if is_called_so(argument) {
        return Loaded::read(argument).map(|loaded| Meant::Profile(Box::new(loaded)));
    }
    let name = argument.to_str().unwrap_or_default();
    if let Some(base) = NamedBase::from_name(name) {
        return Ok(Meant::Base(profile::Base::Named(base)));
    }
    if argument.exists() || name.contains(['/', '.']) && !name.contains('@') {
        let file = Sp::implied(argument.to_owned());
        return Ok(Meant::Base(profile::Base::File(FileBase { file, sha256: None })));
    }
    let names = NamedBase::ALL.map(NamedBase::name).join(", ");
    match name.parse() {
        Ok(released) => Ok(Meant::Base(profile::Base::Released(released))),
        Err(error) if name.contains('@') => Err(Usage(error.to_string()).into()),
        Err(_) => Err(Usage(format!(
            "`{name}` is neither a file nor a base; bases are {names}, those with raspios also with a release, as in raspios-lite-arm64@bookworm"
        ))
        .into()),
    }
}
