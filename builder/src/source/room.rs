//! How much the cache may hold, and what goes when it is too much: what was used the longest time ago, and never
//! what somebody uses.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context;
use imgbuild_schema::values::ByteSize;
use serde::Serialize;

use super::record::Record;
use super::store::{Store, files};
use crate::base::cache::Bases;
use crate::base::recipe::RECIPES;
use crate::fault::Usage;
use crate::fetch;
use crate::progress::Watch;
use crate::scratch;

/// What the cache may hold where `IMGBUILD_CACHE_LIMIT` says nothing.
const DEFAULT_LIMIT: u64 = 20 << 30;

/// What something in the cache is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A base with a name that was made on this machine.
    Made,
    /// An image that was downloaded or unpacked.
    Image,
    /// A download that was broken off, and goes on from there.
    Part,
    /// What nothing can be done with any more: left by a program that was killed, or made by an older recipe.
    Remains,
}

/// Something in the cache.
#[derive(Clone, Debug, Serialize)]
pub struct Cached {
    /// What it is.
    pub kind: Kind,
    /// Its name, or where it came from.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// Bytes that it takes on the disk.
    pub bytes: u64,
    /// The SHA-256 of the file it came from, if it is an image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    #[serde(skip)]
    used: Option<SystemTime>,
}

/// What the cache may hold, in bytes: `IMGBUILD_CACHE_LIMIT`, as in `50GiB`.
pub fn limit() -> anyhow::Result<u64> {
    let Ok(text) = std::env::var("IMGBUILD_CACHE_LIMIT") else { return Ok(DEFAULT_LIMIT) };
    if text.is_empty() {
        return Ok(DEFAULT_LIMIT);
    }
    let size: Result<ByteSize, _> = text.parse();
    let size = size.map_err(|error| Usage(format!("IMGBUILD_CACHE_LIMIT: {error}")))?;
    Ok(size.bytes())
}

/// Everything in the cache, what was used last coming first.
pub fn list(bases: &Bases) -> anyhow::Result<Vec<Cached>> {
    let store = Store::beside(bases);
    let (images, notes) = (store.images()?, store.notes()?);
    let mut found = Vec::new();
    for path in files(bases.folder())? {
        let name = name(&path);
        let kind = match path.extension().and_then(OsStr::to_str) {
            Some("img") if RECIPES.iter().any(|recipe| recipe.file_name() == name) => Kind::Made,
            Some("img" | "making") => Kind::Remains,
            // of a run that was killed, or that goes on: who removes it looks whether somebody holds it
            _ if name.starts_with(scratch::PREFIX) => Kind::Remains,
            _ => continue,
        };
        let recipe = RECIPES.iter().find(|recipe| recipe.file_name() == name);
        let name = recipe.map_or(name, |recipe| recipe.name.to_owned());
        found.push(Cached::at(path, kind, &name));
    }
    for path in files(store.folder())? {
        let kind = match path.extension().and_then(OsStr::to_str) {
            Some("img") => Kind::Image,
            Some("part") => Kind::Part,
            Some("unpacking") => Kind::Remains,
            Some("json") if !is_of_use(&store, &notes, &path) => Kind::Remains,
            Some("tag") if !path.with_extension("").exists() => Kind::Remains,
            // a note or a card of somebody who was killed, or who is still at it
            _ if name(&path).starts_with(scratch::PREFIX) => Kind::Remains,
            _ => continue,
        };
        match images.iter().find(|(image, _)| *image == path) {
            Some((_, record)) => found.push(Cached {
                sha256: Some(record.sha256.clone()),
                ..Cached::at(path, kind, &record.from)
            }),
            // an image without a record is of no use
            None if kind == Kind::Image => {
                found.push(Cached::at(path.clone(), Kind::Remains, &name(&path)));
            }
            None => found.push(Cached::at(path.clone(), kind, &name(&path))),
        }
    }
    found.sort_by(|one, other| (other.used, &one.path).cmp(&(one.used, &other.path)));
    Ok(found)
}

/// Brings the cache below its limit and removes what is left of no use; or removes `all` that nobody uses. Returns
/// what is gone.
pub fn prune(bases: &Bases, limit: u64, all: bool) -> anyhow::Result<Vec<Cached>> {
    let store = Store::beside(bases);
    let _guard = store.guard()?;
    let mut found = list(bases)?;
    let mut total: u64 = found.iter().map(|cached| cached.bytes).sum();
    let mut gone = Vec::new();
    // what is of no use first, then what was used the longest time ago
    found.sort_by_key(|cached| (cached.kind != Kind::Remains, cached.used));
    for cached in found {
        let goes = match cached.kind {
            Kind::Remains => true,
            // ten minutes of work: only on request
            Kind::Made => all,
            Kind::Image | Kind::Part => all || total > limit,
        };
        if goes && cached.remove(&store)? {
            total -= cached.bytes;
            gone.push(cached);
        }
    }
    Ok(gone)
}

/// The same after something came to a store, which is told if anything had to go.
pub(super) fn keep_limit(store: &Store, watch: &dyn Watch) -> anyhow::Result<()> {
    let Some(folder) = store.folder().parent() else { return Ok(()) };
    for gone in prune(&Bases::at(folder), limit()?, false)? {
        if gone.kind != Kind::Remains {
            watch.line(&format!("the cache is full: {} went, unused the longest", gone.name));
        }
    }
    Ok(())
}

/// Is the image of this note there?
fn is_of_use(store: &Store, notes: &[(PathBuf, Record)], note: &Path) -> bool {
    let record = notes.iter().find(|(path, _)| path == note).map(|(_, record)| record);
    record.is_some_and(|record| store.image(record).exists())
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

impl Cached {
    fn at(path: PathBuf, kind: Kind, name: &str) -> Self {
        let metadata = fs::metadata(&path).ok();
        Self {
            kind,
            name: fetch::shown(name),
            bytes: bytes(&path),
            used: metadata.and_then(|metadata| metadata.modified().ok()),
            sha256: None,
            path,
        }
    }

    /// Removes it, unless somebody is at it. Says whether it is gone.
    fn remove(&self, store: &Store) -> anyhow::Result<bool> {
        let context = || format!("removing {}", self.path.display());
        let lock = match self.kind {
            Kind::Image | Kind::Made => File::open(&self.path),
            // of an older recipe, or without a note
            Kind::Remains if self.path.extension() == Some(OsStr::new("img")) => {
                File::open(&self.path)
            }
            Kind::Remains if name(&self.path).starts_with(scratch::PREFIX) => {
                File::open(&self.path)
            }
            Kind::Part | Kind::Remains => self.key_lock(),
        };
        let Ok(lock) = lock else { return Ok(false) };
        if lock.try_lock().is_err() {
            return Ok(false);
        }
        if self.path.is_dir() {
            fs::remove_dir_all(&self.path).with_context(context)?;
        } else {
            fs::remove_file(&self.path).with_context(context)?;
        }
        match self.kind {
            Kind::Image => {
                for (note, _) in store.notes()?.iter().filter(|it| store.image(&it.1) == self.path)
                {
                    fs::remove_file(note).with_context(context)?;
                }
            }
            Kind::Part => drop(fs::remove_file(self.path.with_extension("part.tag"))),
            Kind::Made | Kind::Remains => {}
        }
        Ok(true)
    }

    /// The lock of whoever makes a file of this name.
    fn key_lock(&self) -> std::io::Result<File> {
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy();
        let key = stem.split('.').next().unwrap_or_default();
        File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.path.with_file_name(format!("{key}.lock")))
    }
}

/// What a file, or a folder with all that is in it, takes on the disk.
fn bytes(path: &Path) -> u64 {
    let Ok(metadata) = fs::symlink_metadata(path) else { return 0 };
    let inner = if metadata.is_dir() { files(path).unwrap_or_default() } else { Vec::new() };
    metadata.blocks() * 512 + inner.iter().map(|path| bytes(path)).sum::<u64>()
}
