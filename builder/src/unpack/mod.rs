//! Images as they are handed round: plain, or compressed with xz, zstd or gzip, or in a zip.
//!
//! ```text
//! open(path) ─► Unpacked: Read ─► into_sparse(reader, file): hashed on the way, zeros become holes
//! ```
//!
//! What a file is, its first bytes tell, never its name. What follows the end of the compressed data, an end
//! that does not come, and a checksum that does not hold are errors: nothing is taken for an image that is
//! not whole.

mod announced;
mod archive;
mod members;
mod sparse;

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, bail, ensure};
use rustix::fs::OFlags;

use crate::fault;

pub use sparse::{Extracted, into_sparse};

/// The largest image that is unpacked where its size is not known before: the largest common card holds more, but
/// no image to start from.
pub const MOST_BYTES: u64 = 64 << 30;

/// How a file holds an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// As it is.
    Plain,
    /// Compressed by xz.
    Xz,
    /// Compressed by zstd.
    Zstd,
    /// Compressed by gzip.
    Gzip,
    /// In a zip archive.
    Zip,
}

impl Format {
    /// The format of a file that begins so.
    ///
    /// Sources: the xz file format 1.2.1, RFC 8878 (zstd), RFC 1952 (gzip), and PKWARE's APPNOTE (zip).
    pub fn of(start: &[u8]) -> Self {
        if start.starts_with(b"\xFD7zXZ\0") {
            Self::Xz
        } else if start.starts_with(b"\x28\xB5\x2F\xFD") || is_skippable(start) {
            Self::Zstd
        } else if start.starts_with(b"\x1F\x8B") {
            Self::Gzip
        } else if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
            Self::Zip
        } else {
            Self::Plain
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
            Self::Zip => "zip",
        }
    }
}

/// Does a frame of zstd begin so that holds nothing for us? pzstd begins its files with one.
fn is_skippable(start: &[u8]) -> bool {
    matches!(start, [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..])
}

/// The bytes of an image, whatever it is compressed with.
pub struct Unpacked {
    reader: Box<dyn Read + Send>,
    format: Format,
    announced: Option<u64>,
    length: u64,
    consumed: Arc<AtomicU64>,
}

/// Opens the image at `path`.
pub fn open(path: &Path) -> anyhow::Result<Unpacked> {
    let open = || Unpacked::of(file(path)?);
    open().with_context(|| format!("reading {}", path.display()))
}

/// Opens a file that may hold an image.
pub(crate) fn file(path: &Path) -> anyhow::Result<File> {
    // a pipe that nobody writes to would be waited for: opened so, it is there to be refused
    let mut options = File::options();
    options.read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    let file = options.open(path).map_err(|error| fault::plainly(&error))?;
    check_kind(&file)?;
    Ok(file)
}

/// How a file holds an image, as its first bytes tell.
pub(crate) fn format(file: &File) -> anyhow::Result<Format> {
    Ok(Format::of(&start(file)?))
}

/// The first bytes of a file: as many as tell its format.
fn start(mut file: &File) -> anyhow::Result<Vec<u8>> {
    let mut start = Vec::with_capacity(6);
    file.rewind()?;
    file.take(6).read_to_end(&mut start).context("reading its first bytes")?;
    Ok(start)
}

fn check_kind(file: &File) -> anyhow::Result<()> {
    let kind = file.metadata().context("looking at it")?.file_type();
    ensure!(!kind.is_dir(), "it is a folder");
    ensure!(kind.is_file(), "it is not a file");
    Ok(())
}

impl Unpacked {
    /// Reads the image that `file` holds, from its beginning.
    pub fn of(mut file: File) -> anyhow::Result<Self> {
        check_kind(&file)?;
        let metadata = file.metadata().context("looking at it")?;
        let start = start(&file)?;
        ensure!(!start.is_empty(), "it is empty");
        for (magic, command) in FOREIGN {
            if start.starts_with(magic) {
                bail!(
                    "it is compressed in a way that is not read; unpack it first with `{command}`"
                );
            }
        }
        file.rewind()?;
        let (format, length) = (Format::of(&start), metadata.len());
        let consumed = Arc::new(AtomicU64::new(0));
        let (reader, announced, length): (Box<dyn Read + Send>, _, _) = match format {
            Format::Plain => (Box::new(Counted::new(file, &consumed)), Some(length), length),
            Format::Zip => {
                let entry = archive::find(&file)?;
                let (announced, packed) = (Some(entry.size), entry.packed);
                (entry.reader(Counted::new(file, &consumed))?, announced, packed)
            }
            Format::Xz | Format::Zstd | Format::Gzip => {
                let announced = announced::size(format, &mut file, length)?;
                file.rewind()?;
                let input = BufReader::with_capacity(BUFFER, Counted::new(file, &consumed));
                (Box::new(members::Members::begin(format, input)?), announced, length)
            }
        };
        Ok(Self { reader, format, announced, length, consumed })
    }

    /// How the file holds it.
    pub fn format(&self) -> Format {
        self.format
    }

    /// How many bytes will come, as far as the file tells: all formats but gzip do. What comes is held against
    /// it, so a file that tells lies is an error.
    pub fn announced(&self) -> Option<u64> {
        self.announced
    }

    /// How many bytes of the file hold the image: all of them, but in a zip.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// How many of them have been read: beside [`Self::length`] the progress that every format has.
    pub fn consumed(&self) -> u64 {
        self.consumed.load(Ordering::Relaxed).min(self.length)
    }
}

impl std::fmt::Debug for Unpacked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unpacked").field("format", &self.format).finish_non_exhaustive()
    }
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer).map_err(|error| plainly(self.format, error))
    }
}

/// What other compressors make, and how it is unpacked.
const FOREIGN: [(&[u8], &str); 4] = [
    (b"BZh", "bunzip2 -k"),
    (b"7z\xBC\xAF\x27\x1C", "7z x"),
    (b"LZIP", "lzip -dk"),
    (b"\x04\x22\x4D\x18", "lz4 -d"),
];

/// Bytes that are asked of the disk at once.
const BUFFER: usize = 256 << 10;

/// An error of a decoder in words that mean something to whoever has the file.
fn plainly(format: Format, error: io::Error) -> io::Error {
    let is_said =
        error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<NotWhole>);
    if error.raw_os_error().is_some() || is_said {
        return error;
    }
    let (kind, name) = (error.kind(), format.name());
    let words = match kind {
        io::ErrorKind::UnexpectedEof => format!("it was cut short: the {name} data has no end"),
        io::ErrorKind::OutOfMemory => return error,
        _ => format!("it is damaged: {name} says: {error}"),
    };
    io::Error::new(kind, words)
}

/// The file is not what it should be, said already in full.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NotWhole(String);

impl NotWhole {
    fn error(words: impl Into<String>) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, Self(words.into()))
    }
}

/// Counts what is read of a file.
struct Counted {
    file: File,
    consumed: Arc<AtomicU64>,
}

impl Counted {
    fn new(file: File, consumed: &Arc<AtomicU64>) -> Self {
        Self { file, consumed: Arc::clone(consumed) }
    }
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.consumed.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
