//! What was written, as far as it must be known to read it back.
//!
//! Each block of [`BLOCK`] bytes leaves a print of 64 bits: 2 MiB for an image of a gigabyte. From the prints one
//! sees which block came back as another's, which is how a card shows that it lies about its size.

use std::hash::Hasher;

use std::collections::HashMap;
use std::collections::hash_map::{DefaultHasher, Entry};

/// Bytes of a block.
pub(super) const BLOCK: usize = 4096;

/// A block of zeros.
pub(super) static ZEROS: [u8; BLOCK] = [0; BLOCK];

/// What a block holds, in 64 bits.
pub(super) type Print = u64;

/// The print of a block, `SipHash` of its bytes: two blocks have the same one by chance once in 2^64.
pub(super) fn print(block: &[u8]) -> Print {
    let mut hasher = DefaultHasher::new();
    hasher.write(block);
    hasher.finish()
}

/// A stretch of the card.
#[derive(Debug)]
pub(super) struct Extent {
    /// Its first byte.
    pub(super) offset: u64,
    /// Bytes.
    pub(super) length: u64,
    /// What it holds; none: zeros.
    pub(super) prints: Option<Vec<Print>>,
}

/// Everything that was written.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// In the order in which they lie.
    pub(super) extents: Vec<Extent>,
    /// The image's first block, which is written last.
    pub(super) head: Vec<u8>,
}

impl Written {
    /// How many bytes there are to read back.
    pub(super) fn length(&self) -> u64 {
        self.extents.iter().map(|extent| extent.length).sum()
    }

    /// Where each block lies whose print is the only one of its kind. Zeros may come from anywhere.
    pub(super) fn places(&self) -> HashMap<Print, u64> {
        let mut places = HashMap::from([(print(&ZEROS), None)]);
        for extent in &self.extents {
            let offsets = (extent.offset..).step_by(BLOCK);
            for (print, offset) in extent.prints.iter().flatten().zip(offsets) {
                match places.entry(*print) {
                    Entry::Vacant(entry) => {
                        entry.insert(Some(offset));
                    }
                    Entry::Occupied(mut entry) => {
                        entry.insert(None);
                    }
                }
            }
        }
        places.into_iter().filter_map(|(print, place)| Some((print, place?))).collect()
    }

    /// How many blocks that are not zero lie at `from` or after it.
    pub(super) fn blocks_from(&self, from: u64) -> u64 {
        let zero = print(&ZEROS);
        let mut count = 0;
        for extent in &self.extents {
            let offsets = (extent.offset..).step_by(BLOCK);
            let prints = extent.prints.iter().flatten().zip(offsets);
            count += prints.filter(|(print, offset)| *offset >= from && **print != zero).count();
        }
        count as u64
    }
}
