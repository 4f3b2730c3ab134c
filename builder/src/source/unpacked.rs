//! An image on its way into the store: unpacked and checked, and without its name yet.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::record::Known;
use crate::base::hex;
use crate::progress::{Watch, Work};
use crate::unpack::{self, Extracted, Format};

/// A file that is gone at last, unless it was renamed.
#[derive(Debug)]
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // what cannot be removed now is written over by the next try
        let _ = fs::remove_file(&self.0);
    }
}

/// Unpacks the image in the file `packed` to `path`, and checks it. It is gone again when what is returned is dropped,
/// unless it was renamed.
pub(super) fn unpack(
    packed: &Path,
    path: PathBuf,
    known: &Known<'_>,
    origin: &str,
    watch: &dyn Watch,
) -> anyhow::Result<(Scratch, Extracted)> {
    let scratch = Scratch(path);
    let work = || {
        let mut reader = unpack::Unpacked::of(File::open(packed).context("opening it")?)?;
        let file =
            File::create(&scratch.0).with_context(|| format!("writing {}", scratch.0.display()))?;
        let (length, limit) = (reader.length(), known.extract_size.unwrap_or(unpack::MOST_BYTES));
        let title = if reader.format() == Format::Plain { "copying" } else { "unpacking" };
        let work = Work::begin(watch, &format!("{title} {origin}"), Some(length));
        let extracted = unpack::into_sparse(&mut reader, &file, limit, |reader, _| {
            work.at(reader.consumed());
        })?;
        if let Some(expected) = known.extract_size.filter(|size| *size != extracted.length) {
            bail!("it unpacks to {} bytes where {expected} were expected", extracted.length);
        }
        let sha256 = hex(&extracted.sha256);
        if let Some(expected) = known.extract_sha256.filter(|expected| *expected != sha256) {
            bail!(
                "what it unpacks to is not the image that is wanted: its SHA-256 is {sha256}, and {expected} is asked for"
            );
        }
        file.sync_all().context("writing the unpacked image")?;
        Ok(extracted)
    };
    let extracted = work().with_context(|| format!("unpacking {origin}"))?;
    Ok((scratch, extracted))
}
