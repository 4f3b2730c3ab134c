//! Images that were downloaded or unpacked, kept by what is in them: each once, whatever happens meanwhile.
//!
//! ```text
//! images/E.img        an image, E being its SHA-256: complete, or not there: it is renamed into place
//! images/P.json       what is known of the file it came from, P being that one's SHA-256: packed in two ways, an image
//!                     has two; written before the image, removed after it
//! images/K.part       being downloaded, or left for the next try; K is a hash that is known before
//! images/K.unpacking  being unpacked, or left by a program that was killed
//! images/K.lock       held by whoever is at K
//! images/.lock        held for a moment by whoever gives an image its name, or removes one
//! ```
//!
//! An image is in use as long as somebody holds a shared lock on it; only those that nobody holds are removed.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, ensure};

use crate::base::cache::{Bases, lock};
use crate::base::{Base, hex};
use crate::digest;
use crate::fault;
use crate::fetch::{self, Patience, Wanted};
use crate::interrupt;
use crate::progress::{Watch, Work};
use crate::scratch;
use crate::unpack::Extracted;

use super::record::{From, Known, Record};
use super::unpacked::{Scratch, unpack};

/// The images that are kept.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// Those beside the bases.
    pub fn beside(bases: &Bases) -> Self {
        Self { folder: bases.folder().join("images") }
    }

    /// Where they lie.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Every note of an image, whether it is still kept or not.
    pub(super) fn notes(&self) -> anyhow::Result<Vec<(PathBuf, Record)>> {
        let notes = files(&self.folder)?.into_iter();
        let notes = notes.filter(|path| path.extension().is_some_and(|it| it == "json"));
        Ok(notes.filter_map(|path| Record::read(&path).map(|record| (path, record))).collect())
    }

    /// Where the image of a note lies.
    pub(super) fn image(&self, record: &Record) -> PathBuf {
        self.folder.join(format!("{}.img", record.extract_sha256))
    }

    /// Every image that is kept, with its records.
    pub fn images(&self) -> anyhow::Result<Vec<(PathBuf, Record)>> {
        let mut images = Vec::new();
        for (_, record) in self.notes()? {
            let path = self.image(&record);
            if path.exists() {
                images.push((path, record));
            }
        }
        images.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(images)
    }

    /// Keeps others from adding and removing while this lives, which should not be long.
    pub(super) fn guard(&self) -> anyhow::Result<Option<File>> {
        if !self.folder.exists() {
            return Ok(None);
        }
        let path = self.folder.join(".lock");
        let open = || {
            let file = File::options().create(true).truncate(false).write(true).open(&path)?;
            file.lock()?;
            io::Result::Ok(Some(file))
        };
        open().with_context(|| format!("locking {}", path.display()))
    }

    /// The image that all that is known goes with, if it is kept; it stays as long as the base lives. The same image
    /// packed by somebody else is not meant: its record would be pinned.
    fn find(&self, known: &Known<'_>, origin: &str) -> anyhow::Result<Option<(Record, Base)>> {
        for (path, record) in self.images()? {
            let same = |known: Option<&str>, has: &str| known.is_none_or(|known| known == has);
            let is_that_file = known.sha256.is_some()
                || known.size == Some(record.size)
                || known.size.is_none() && record.from == origin;
            if is_that_file
                && same(known.sha256, &record.sha256)
                && same(known.extract_sha256, &record.extract_sha256)
                && let Some(base) = Base::held(&path)?
            {
                // when it was used last decides who goes first; a cache that cannot be written loses nothing
                let _ = File::open(&path).and_then(|file| file.set_modified(SystemTime::now()));
                return Ok(Some((record, base)));
            }
        }
        Ok(None)
    }

    /// The image that is wanted; fetched, checked and unpacked where it is not kept yet.
    pub fn ensure(
        &self,
        known: &Known<'_>,
        from: From<'_>,
        watch: &dyn Watch,
    ) -> anyhow::Result<(Record, Base)> {
        let key = known.sha256.or(known.extract_sha256).context("nothing is known of the image")?;
        let origin = match from {
            From::Url { url, .. } => fetch::shown(url),
            From::File(path) => path.display().to_string(),
        };
        let mut is_new = false;
        loop {
            if let Some(found) = self.find(known, &origin)? {
                if is_new {
                    super::room::keep_limit(self, watch)?;
                }
                return Ok(found);
            }
            if let From::Url { offline: true, .. } = from {
                return Err(fault::Lacking(format!(
                    "the image {origin} is not in {} and the network is not to be used; fetch it with `imgbuild base fetch` first",
                    self.folder.display()
                ))
                .into());
            }
            ensure!(!is_new, "the image was removed from {} meanwhile", self.folder.display());
            fs::create_dir_all(&self.folder)
                .with_context(|| format!("making {}", self.folder.display()))?;
            let _lock = lock(&self.folder.join(format!("{key}.lock")), &|line| watch.line(line))?;
            // whoever held the lock before may have fetched it
            if self.find(known, &origin)?.is_none() {
                self.bring(key, known, from, watch)?;
            }
            is_new = true;
        }
    }

    /// Fetches, checks and unpacks an image. To be called by whoever holds the key's lock.
    fn bring(
        &self,
        key: &str,
        known: &Known<'_>,
        from: From<'_>,
        watch: &dyn Watch,
    ) -> anyhow::Result<()> {
        let (packed, origin, sha256, size) = match from {
            From::File(path) => {
                let size = path.metadata().map_or(0, |metadata| metadata.len());
                let sha256 = known.sha256.context("the file was not hashed")?;
                (path.to_owned(), path.display().to_string(), sha256.to_owned(), size)
            }
            From::Url { url, .. } => {
                let part = self.folder.join(format!("{key}.part"));
                let wanted = Wanted {
                    url,
                    sha256: known.sha256,
                    size: known.size,
                    proved_later: known.extract_sha256.is_some(),
                };
                let got = fetch::download(&wanted, &part, Patience::default(), watch)?;
                (part, fetch::shown(url), got.sha256, got.size)
            }
        };
        let unpacked =
            unpack(&packed, self.folder.join(format!("{key}.unpacking")), known, &origin, watch);
        let is_ours = matches!(from, From::Url { .. });
        match unpacked {
            Ok((scratch, Extracted { length, sha256: digest })) => {
                let extract_sha256 = hex(&digest);
                let record =
                    Record { from: origin, sha256, size, extract_sha256, extract_size: length };
                self.keep(&scratch, &record)?;
            }
            Err(error) => {
                // what this machine lacks it may have tomorrow; what is wrong with the file stays wrong
                let is_its_fault =
                    fault::interruption(&error).is_none() && fault::exit_status(&error) == 1;
                if is_ours && is_its_fault {
                    let _ = fs::remove_file(&packed);
                }
                return Err(error);
            }
        }
        if is_ours {
            fs::remove_file(&packed).with_context(|| format!("removing {}", packed.display()))?;
        }
        Ok(())
    }

    /// Gives an image that was unpacked its name.
    fn keep(&self, scratch: &Scratch, record: &Record) -> anyhow::Result<()> {
        interrupt::check()?;
        let _guard = self.guard()?;
        // nobody writes to a base: cards are copies of it
        fs::set_permissions(scratch.path(), Permissions::from_mode(0o444))
            .context("protecting the image")?;
        let path = self.image(record);
        let note = self.folder.join(format!("{}.json", record.sha256));
        let mut file = scratch::file_beside(&note, 0o644)?;
        serde_json::to_writer_pretty(&mut file, record)?;
        file.persist(&note)
            .map_err(|error| error.error)
            .context("noting where the image is from")?;
        fs::rename(scratch.path(), &path)
            .with_context(|| format!("moving the image to {}", path.display()))
    }
}

/// The SHA-256 of the file at `path`, as hexadecimal digits.
pub(super) fn hash(file: &File, path: &Path, watch: &dyn Watch) -> anyhow::Result<String> {
    let work = || {
        let length = file.metadata()?.len();
        let work = Work::begin(watch, &format!("checking {}", path.display()), Some(length));
        digest::of_range(file, 0..length, &|done| {
            work.at(done);
            Ok(interrupt::check()?)
        })
    };
    work().with_context(|| format!("reading {}", path.display()))
}

/// What lies in a folder, which need not be there.
pub(super) fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| format!("reading {}", folder.display()))?,
    };
    Ok(entries.flatten().map(|entry| entry.path()).collect())
}
