//! The one image in a zip.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use anyhow::{Context, bail, ensure};
use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

use super::{BUFFER, Counted, NotWhole};

/// Where an image lies in a zip, and how.
pub(super) struct Entry {
    /// Its size in bytes, as the archive has it.
    pub(super) size: u64,
    name: String,
    method: CompressionMethod,
    start: u64,
    /// The bytes of the archive that it takes.
    pub(super) packed: u64,
    crc: u32,
}

/// The most entries that are looked at.
const MOST_ENTRIES: usize = 10_000;

/// Finds the image: the only file, else the only one whose name ends in `.img`.
pub(super) fn find(file: &File) -> anyhow::Result<Entry> {
    let mut archive = ZipArchive::new(BufReader::new(file))
        .map_err(|error| anyhow::anyhow!("its zip directory cannot be read: {error}"))?;
    ensure!(archive.len() <= MOST_ENTRIES, "the zip has more than {MOST_ENTRIES} entries");
    let mut entries = Vec::new();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).context("reading the zip's directory")?;
        if !entry.is_file() || entry.is_symlink() {
            continue;
        }
        let name = entry.name().context("reading the zip's directory")?.into_owned();
        ensure!(!entry.encrypted(), "{} in the zip is encrypted", name.escape_default());
        entries.push(Entry {
            size: entry.size(),
            method: entry.compression(),
            start: entry.data_start().context("the zip does not say where its data begins")?,
            packed: entry.compressed_size(),
            crc: entry.crc32(),
            name,
        });
    }
    if entries.len() > 1 {
        entries.retain(|entry| entry.name.to_ascii_lowercase().ends_with(".img"));
    }
    match entries.len() {
        1 => Ok(entries.remove(0)),
        0 => bail!("there is no image in the zip: no file of it ends in .img"),
        count => {
            let names = entries.iter().take(5).map(|entry| entry.name.escape_default().to_string());
            let names: Vec<String> = names.collect();
            bail!(
                "there are {count} images in the zip ({}); unpack the one that is meant",
                names.join(", ")
            )
        }
    }
}

impl Entry {
    /// Reads it out of the archive's file.
    pub(super) fn reader(self, mut archive: Counted) -> anyhow::Result<Box<dyn Read + Send>> {
        archive.file.seek(SeekFrom::Start(self.start)).context("going to the image in the zip")?;
        let packed = archive.take(self.packed);
        Ok(match self.method {
            CompressionMethod::Stored => Box::new(Checked::new(packed, &self)),
            CompressionMethod::Deflated => {
                let input = BufReader::with_capacity(BUFFER, packed);
                Box::new(Checked::new(DeflateDecoder::new(input), &self))
            }
            other => bail!("{} in the zip is compressed by {other}, which is not read", self.name),
        })
    }
}

/// Holds what comes against the size and the checksum of the directory.
struct Checked<R> {
    reader: R,
    crc: Crc,
    wanted: u32,
    left: u64,
}

impl<R: Read> Checked<R> {
    fn new(reader: R, entry: &Entry) -> Self {
        Self { reader, crc: Crc::new(), wanted: entry.crc, left: entry.size }
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.crc.update(&buffer[..read]);
        let Some(left) = self.left.checked_sub(read as u64) else {
            return Err(NotWhole::error(
                "it is damaged: it is larger than the zip's directory says",
            ));
        };
        self.left = left;
        if read == 0 && !buffer.is_empty() {
            if left > 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if self.crc.sum() != self.wanted {
                return Err(NotWhole::error("it is damaged: its checksum in the zip is another"));
            }
        }
        Ok(read)
    }
}
