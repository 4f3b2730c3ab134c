//! The image as pieces to be written, in order.
//!
//! Which parts of an image are written, and which only have to be zero:
//!
//! | image | written | made zero where the card is not | left as it is |
//! |---|---|---|---|
//! | with a block map beside it | ranges of the map, checksums held against it | | the rest |
//! | plain, without | data | holes, and pieces of nothing but zeros | |
//! | compressed, without | what is not zero | pieces of nothing but zeros | |
//!
//! Without a block map nobody knows which zeros are free space and which are meant: an empty entry of a file
//! allocation table is a zero too. Left as they are, a card that was used before would keep what was there.

use std::fmt;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use sha2::{Digest, Sha256};

use super::bmap::{Bmap, Checksum};
use super::buffer::{ALIGNMENT, Buffer};
use super::bytes::Bytes;
use super::written::ZEROS;
use crate::base::mbr::{Mbr, MbrError};
use crate::image::next_data;
use crate::unpack::{self, Format, Unpacked};

/// The most that is read, written and compared at once.
pub(super) const PIECE: usize = 1 << 20;

/// A part of the image.
#[derive(Debug)]
pub(super) enum Piece {
    /// Bytes from `offset` on: the first `length` of the buffer.
    Data {
        /// Where they belong.
        offset: u64,
        /// How many.
        length: usize,
    },
    /// Zeros.
    Zeros {
        /// Where they begin.
        offset: u64,
        /// How many.
        length: u64,
    },
}

#[derive(Clone, Copy, Debug)]
struct Range {
    start: u64,
    end: u64,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    /// To be written, and to be what the block map says.
    Checked(Checksum),
    /// To be written; pieces of zeros are zeros.
    Plain,
    Zeros,
}

/// An image that is going to be written.
pub struct Source {
    bytes: Bytes,
    /// The device and the number of the file.
    place: (u64, u64),
    /// The image's length, where it is known before the end.
    length: Option<u64>,
    has_map: bool,
    ranges: std::vec::IntoIter<Range>,
    current: Option<Range>,
    hash: Sha256,
    total: u64,
    ended: bool,
}

impl Source {
    /// Opens the image at `path`, with the block map beside it, and looks at whether it is one.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        Self::begin(path).with_context(|| format!("reading the image {}", path.display()))
    }

    fn begin(path: &Path) -> anyhow::Result<Self> {
        let file = unpack::file(path)?;
        let metadata = file.metadata()?;
        let map = Bmap::beside(path)?;
        let plain = file.try_clone()?;
        let unpacked = Unpacked::of(file)?;
        let length = unpacked.announced();
        let (bytes, ranges) = if unpacked.format() == Format::Plain {
            let ranges = if map.is_none() { stretches(&plain)? } else { Vec::new() };
            (Bytes::File(plain), ranges)
        } else {
            let all = Range { start: 0, end: length.unwrap_or(u64::MAX), what: What::Plain };
            (Bytes::stream(unpacked), vec![all])
        };
        let mut source = Self::new(bytes, (metadata.dev(), metadata.ino()), length, ranges);
        if let Some(map) = map {
            source.take(&map)?;
        }
        source.check_first_sector()?;
        Ok(source)
    }

    fn new(bytes: Bytes, place: (u64, u64), length: Option<u64>, ranges: Vec<Range>) -> Self {
        let total = ranges.iter().map(|range| range.end - range.start).sum();
        Self {
            bytes,
            place,
            length,
            has_map: false,
            ranges: ranges.into_iter(),
            current: None,
            hash: Sha256::new(),
            total,
            ended: false,
        }
    }

    /// Takes the map's ranges for those to be written.
    fn take(&mut self, map: &Bmap) -> anyhow::Result<()> {
        if let Some(length) = self.length {
            ensure!(
                length == map.length,
                "it has {length} bytes, and the block map {} is of an image of {}",
                map.path.display(),
                map.length
            );
        }
        ensure!(
            map.ranges.first().is_some_and(|range| range.start == 0),
            "the block map {} leaves out the first block, which holds the partition table",
            map.path.display()
        );
        let ranges = map.ranges.iter();
        let ranges: Vec<Range> = ranges
            .map(|it| Range { start: it.start, end: it.end, what: What::Checked(it.checksum) })
            .collect();
        self.total = ranges.iter().map(|range| range.end - range.start).sum();
        self.ranges = ranges.into_iter();
        self.length = Some(map.length);
        self.has_map = true;
        Ok(())
    }

    /// The image's length in bytes, where it is known before the end.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// Was there a block map beside it?
    pub fn has_map(&self) -> bool {
        self.has_map
    }

    /// How many bytes its pieces have together, where it is known before the end.
    pub(super) fn total(&self) -> Option<u64> {
        self.length.map(|_| self.total)
    }

    /// Is it in this very file?
    pub(super) fn is_in(&self, file: &std::fs::Metadata) -> bool {
        self.place == (file.dev(), file.ino())
    }

    /// A card without a partition table starts nothing; most likely another file was meant.
    fn check_first_sector(&mut self) -> anyhow::Result<()> {
        let mut sector = [0; 512];
        let length = self.bytes.start(&mut sector)?;
        ensure!(length == sector.len(), MbrError::TooShort);
        if let Err(error) = Mbr::decode(&sector) {
            bail!("it is no card image: {error}");
        }
        Ok(())
    }

    /// The next piece, its bytes at the beginning of `buffer`, which has [`PIECE`] bytes; what follows them there
    /// up to the next multiple of what disks want is zero.
    pub(super) fn next(&mut self, buffer: &mut Buffer) -> anyhow::Result<Option<Piece>> {
        let Some(range) = self.current.take().or_else(|| self.ranges.next()) else {
            return self.end(buffer).map(|()| None);
        };
        if matches!(range.what, What::Zeros) {
            return Ok(Some(Piece::Zeros { offset: range.start, length: range.end - range.start }));
        }
        let wanted = usize::try_from(range.end - range.start).unwrap_or(PIECE).min(PIECE);
        let length = self.bytes.fill(range.start, &mut buffer[..wanted])?;
        if length < wanted {
            self.ended = true;
            let end = range.start + length as u64;
            if self.length.is_some_and(|expected| end < expected) {
                bail!("the image ends after {end} bytes, and {} were to come", range.end - end);
            }
        }
        let padded = length.next_multiple_of(ALIGNMENT);
        buffer[length..padded].fill(0);
        self.after(range, &buffer[..length])?;
        let offset = range.start;
        Ok(match () {
            () if length == 0 => None,
            () if matches!(range.what, What::Plain) && is_zero(&buffer[..length]) => {
                Some(Piece::Zeros { offset, length: length as u64 })
            }
            () => Some(Piece::Data { offset, length }),
        })
    }

    /// Notes how far a range was read; at its end its checksum must hold.
    fn after(&mut self, range: Range, bytes: &[u8]) -> anyhow::Result<()> {
        let start = range.start + bytes.len() as u64;
        if let What::Checked(checksum) = range.what {
            self.hash.update(bytes);
            if start == range.end {
                let found: Checksum = self.hash.finalize_reset().into();
                ensure!(
                    found == checksum,
                    "the image is not what the block map beside it says: it differs before offset {start}; one of the two is damaged, or they do not belong together"
                );
            }
        }
        if start < range.end && !self.ended {
            self.current = Some(Range { start, ..range });
        }
        Ok(())
    }

    /// What follows the last piece of a stream is read too: only then its own checksum has been looked at.
    fn end(&mut self, buffer: &mut Buffer) -> anyhow::Result<()> {
        if let (Some(end), Some(length)) = (self.bytes.end(buffer)?, self.length) {
            ensure!(end == length, "the image has {end} bytes, not {length} as was said");
        }
        Ok(())
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { length, has_map, total, .. } = self;
        write!(f, "Source {{ length: {length:?}, has_map: {has_map}, total: {total} }}")
    }
}

/// A file's data and holes, from where to where disks want them.
fn stretches(file: &File) -> anyhow::Result<Vec<Range>> {
    let length = file.metadata()?.len();
    let align = ALIGNMENT as u64;
    let mut ranges = Vec::new();
    let mut at = 0;
    while let Some((start, end)) = next_data(file, at, length)? {
        let start = (start / align * align).max(at);
        let end = end.next_multiple_of(align).min(length);
        ranges.push(Range { start: at, end: start, what: What::Zeros });
        ranges.push(Range { start, end, what: What::Plain });
        at = end;
    }
    ranges.push(Range { start: at, end: length, what: What::Zeros });
    ranges.retain(|range| range.start < range.end);
    Ok(ranges)
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.chunks(ZEROS.len()).all(|block| block == &ZEROS[..block.len()])
}
