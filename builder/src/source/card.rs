//! A card image to look at, as it is handed round: as it is, or compressed.

use std::fs;
use std::path::Path;

use anyhow::Context;

use super::store::Store;
use crate::base::Base;
use crate::base::cache::Bases;
use crate::progress::{Watch, Work};
use crate::scratch;
use crate::unpack::{self, Format, Unpacked};

/// Opens a card image. One that is compressed is unpacked first, into a file that is gone with the last clone of what
/// is returned.
pub fn open(path: &Path, watch: &dyn Watch) -> anyhow::Result<Base> {
    let reading = || format!("reading the image {}", path.display());
    let mut packed = unpack::file(path).and_then(Unpacked::of).with_context(reading)?;
    if packed.format() == Format::Plain {
        return Base::open(path);
    }
    // beside the images that are kept: /tmp may be too small, and what a killed program left there is cleared away
    let store = Store::beside(&Bases::of_user()?);
    fs::create_dir_all(store.folder())
        .with_context(|| format!("making {}", store.folder().display()))?;
    let scratch = scratch::file_beside(&store.folder().join("card"), 0o600)
        .with_context(|| format!("writing into the folder {}", store.folder().display()))?;
    let work = Work::begin(watch, &format!("unpacking {}", path.display()), Some(packed.length()));
    unpack::into_sparse(&mut packed, scratch.as_file(), unpack::MOST_BYTES, |packed, _| {
        work.at(packed.consumed());
    })
    .with_context(reading)?;
    Base::temporary(scratch, path)
}
