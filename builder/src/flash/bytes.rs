//! Where an image's bytes come from.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

use anyhow::Context;

use super::source::PIECE;
use crate::interrupt;

/// The bytes of an image.
pub(super) enum Bytes {
    /// From anywhere in a file.
    File(File),
    /// One after the other.
    Stream {
        /// What comes next.
        reader: Box<dyn Read + Send>,
        /// How many came before.
        position: u64,
    },
}

impl Bytes {
    /// Bytes that come one after the other.
    pub(super) fn stream(reader: impl Read + Send + 'static) -> Self {
        Self::Stream { reader: Box::new(reader), position: 0 }
    }

    /// Looks at the first bytes, which will come once more; says how many there are.
    pub(super) fn start(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => read_full(|at, rest| file.read_at(rest, at), buffer),
            Self::Stream { reader, .. } => {
                let length = read_full(|_, rest| reader.read(rest), buffer)?;
                let rest = std::mem::replace(reader, Box::new(io::empty()));
                let again = io::Cursor::new(buffer[..length].to_vec());
                *reader = Box::new(again.chain(rest));
                Ok(length)
            }
        }
    }

    /// Fills `buffer` with what the image has at `offset`, which lies behind all that was read before; less only at
    /// its end.
    pub(super) fn fill(&mut self, offset: u64, buffer: &mut [u8]) -> anyhow::Result<usize> {
        let filled = match self {
            Self::File(file) => read_full(|at, rest| file.read_at(rest, offset + at), buffer),
            Self::Stream { reader, position } => {
                skip(reader, position, offset)?;
                if *position < offset {
                    return Ok(0);
                }
                let filled = read_full(|_, rest| reader.read(rest), buffer);
                filled.inspect(|length| *position += *length as u64)
            }
        };
        filled.with_context(|| format!("reading the image at offset {offset}"))
    }

    /// Reads what is left of a stream, since only its end has its checksum; says where the end is.
    pub(super) fn end(&mut self, buffer: &mut [u8]) -> anyhow::Result<Option<u64>> {
        let Self::Stream { reader, position } = self else { return Ok(None) };
        loop {
            interrupt::check()?;
            match reader.read(buffer).context("unpacking the image")? {
                0 => return Ok(Some(*position)),
                length => *position += length as u64,
            }
        }
    }
}

/// Reads on to `offset`, or to the end.
fn skip(reader: &mut impl Read, position: &mut u64, offset: u64) -> anyhow::Result<()> {
    while *position < offset {
        interrupt::check()?;
        let step = (offset - *position).min(PIECE as u64);
        match io::copy(&mut reader.take(step), &mut io::sink()).context("unpacking the image")? {
            0 => break,
            skipped => *position += skipped,
        }
    }
    Ok(())
}

/// Reads until the buffer is full or nothing more comes; `read` is told how much is there already.
fn read_full(
    mut read: impl FnMut(u64, &mut [u8]) -> io::Result<usize>,
    buffer: &mut [u8],
) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match read(filled as u64, &mut buffer[filled..]) {
            Ok(0) => break,
            Ok(length) => filled += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
