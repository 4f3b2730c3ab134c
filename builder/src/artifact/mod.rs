//! A finished image becomes what was asked for: the image itself or compressed, and what describes it.
//!
//! ```text
//! card.img.xz                 the image
//! card.img.xz.bmap            which of its blocks mean something, with their hashes
//! card.img.xz.sha256          for `sha256sum --check`
//! card.img.xz.manifest.json   what went in and what was written, hashed; no secret
//! card.img.xz.cdx.json        which packages and crates are on it (CycloneDX)
//! ```
//!
//! All are made under other names and renamed at the end, the image last: where there is an image, there is
//! all of it. Each name is the image's and an ending, since that is where bmaptool looks first, and since two
//! images in one folder must not share one.

pub mod bmap;
mod compress;
mod manifest;
mod sbom;
mod target;
mod used;
mod xz;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::{fs, thread};

use anyhow::Context;
use tempfile::NamedTempFile;

use crate::agents::Crate;
use crate::base::Base;
use crate::digest::{Background, Written};
use crate::interrupt;
use crate::plan::Plan;
use crate::profile::Loaded;
use crate::scratch;

use bmap::Bmap;
use manifest::Manifest;

pub use compress::Progress;
pub use target::{Format, Target};

/// What lies beside an image, by the endings of their names.
const COMPANIONS: [&str; 4] = [".bmap", ".sha256", ".manifest.json", ".cdx.json"];

/// What an image was made from, for those who describe it.
#[derive(Debug)]
pub struct Origin<'a> {
    /// The profile.
    pub loaded: &'a Loaded,
    /// The base.
    pub base: &'a Base,
    /// What was written into its copy.
    pub plan: &'a Plan,
    /// The hash of the base, which is being taken meanwhile.
    pub base_digest: Background,
    /// The crates that the agent is made of.
    pub crates: Vec<Crate>,
}

/// Puts `image`, which lies beside the target, under the target's name in the target's format. With an
/// `origin`, what describes it lies beside it.
pub fn put(
    image: NamedTempFile,
    target: &Target,
    origin: Option<Origin<'_>>,
    progress: Progress<'_>,
) -> anyhow::Result<()> {
    let Some(origin) = origin else {
        let image = match target.format() {
            Format::Plain => image,
            _ => compressed(&image, target, progress)?.0,
        };
        interrupt::check()?;
        // what described an image of before would describe this one wrongly
        for ending in COMPANIONS {
            remove(&target.beside(ending))?;
        }
        return rename(image, target.path());
    };
    let card = Base::open(image.path())?;
    // what can go wrong with it does so before the minutes that compressing may take
    let used = used::of(&card)?;
    let (map, finished) = thread::scope(|scope| {
        let map = scope.spawn(|| Bmap::of(&card, used));
        let finished = match target.format() {
            Format::Plain => compress::hash(image.as_file(), progress).map(|hash| (image, hash)),
            _ => compressed(&image, target, progress),
        };
        (map.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), finished)
    });
    let (finished, written) = finished?;
    let companions = describe(&card, target, origin, &map?, &written)?;
    interrupt::check()?;
    // an image of before beside what describes this one would be neither, even if only for a moment
    remove(target.path())?;
    for (file, path) in companions {
        rename(file, &path)?;
    }
    rename(finished, target.path())
}

/// The image in the target's format, beside the target.
fn compressed(
    image: &NamedTempFile,
    target: &Target,
    progress: Progress<'_>,
) -> anyhow::Result<(NamedTempFile, Written)> {
    let folder = scratch::parent(target.path());
    let file = scratch::file_beside(target.path(), 0o600)
        .with_context(|| format!("writing into the folder {}", folder.display()))?;
    let written = compress::compress(image.as_file(), target.format(), file.as_file(), progress)?;
    Ok((file, written))
}

/// What lies beside the image, not under its name yet.
fn describe(
    card: &Base,
    target: &Target,
    origin: Origin<'_>,
    map: &Bmap,
    image: &Written,
) -> anyhow::Result<Vec<(NamedTempFile, PathBuf)>> {
    let made = [(".bmap", map.to_string()), (".cdx.json", sbom::of(card, &origin)?)];
    let mut outputs = vec![manifest::Output::new(&target.name(""), image)];
    outputs.extend(made.iter().map(|(ending, text)| {
        manifest::Output::new(&target.name(ending), &Written::of(text.as_bytes()))
    }));
    let manifest = Manifest::new(origin, outputs)?;
    let manifest = serde_json::to_string_pretty(&manifest)? + "\n";
    let sum = format!("{}  {}\n", image.sha256, target.name(""));
    let all = made.into_iter().chain([(".manifest.json", manifest), (".sha256", sum)]);
    all.map(|(ending, text)| {
        let path = target.beside(ending);
        let mut file = scratch::file_beside(&path, 0o600)
            .with_context(|| format!("making {}", path.display()))?;
        file.write_all(text.as_bytes()).with_context(|| format!("writing {}", path.display()))?;
        Ok((file, path))
    })
    .collect()
}

fn rename(file: NamedTempFile, path: &Path) -> anyhow::Result<()> {
    // not flushed to the disk, as cp does not either: a card is made anew in a second
    file.persist(path)
        .map(drop)
        .map_err(|error| error.error)
        .with_context(|| format!("renaming what was made to {}", path.display()))
}

fn remove(path: &Path) -> anyhow::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error)
            .with_context(|| format!("removing {}, which is to be replaced", path.display())),
        _ => Ok(()),
    }
}
