//! Files of xz, zstd and gzip are a row of members, each complete in itself; parallel compressors make many.

use std::io::{self, BufRead, BufReader, Read};
use std::num::NonZero;
use std::thread::available_parallelism;

use flate2::bufread::GzDecoder;
use liblzma::bufread::XzDecoder;
use liblzma::stream::MtStreamBuilder;
use zstd::stream::read::Decoder as ZstdDecoder;

use super::{Counted, Format, NotWhole, is_skippable};

type Input = BufReader<Counted>;

/// The most memory that a decoder may take: a dictionary is as large as the file says.
const MOST_MEMORY: u64 = 1 << 30;
/// The same as a power of two, for zstd.
const MOST_WINDOW: u32 = 30;

/// The decoder of one member.
enum Member {
    Xz(XzDecoder<Input>),
    Zstd(ZstdDecoder<'static, Input>),
    Gzip(GzDecoder<Input>),
}

impl Member {
    fn begin(format: Format, input: Input) -> io::Result<Self> {
        Ok(match format {
            Format::Xz => Self::Xz(XzDecoder::new_stream(input, xz()?)),
            Format::Zstd => {
                let mut decoder = ZstdDecoder::with_buffer(input)?.single_frame();
                decoder.window_log_max(MOST_WINDOW)?;
                Self::Zstd(decoder)
            }
            _ => Self::Gzip(GzDecoder::new(input)),
        })
    }

    fn into_input(self) -> Input {
        match self {
            Self::Xz(decoder) => decoder.into_inner(),
            Self::Zstd(decoder) => decoder.finish(),
            Self::Gzip(decoder) => decoder.into_inner(),
        }
    }
}

impl Read for Member {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Xz(decoder) => decoder.read(buffer),
            Self::Zstd(decoder) => decoder.read(buffer),
            Self::Gzip(decoder) => decoder.read(buffer),
        }
    }
}

/// A decoder on every processor: xz files of several blocks, as `xz -T` makes them, are decoded in parallel.
/// Left at nothing, its limit for threads would leave it one.
fn xz() -> io::Result<liblzma::stream::Stream> {
    let threads = available_parallelism().map_or(1, NonZero::get);
    MtStreamBuilder::new()
        .memlimit_stop(MOST_MEMORY)
        .memlimit_threading(MOST_MEMORY)
        .threads(u32::try_from(threads).unwrap_or(1))
        .decoder()
        .map_err(io::Error::from)
}

/// The members of a file, one after the other.
pub(super) struct Members {
    format: Format,
    member: Option<Member>,
}

impl Members {
    pub(super) fn begin(format: Format, input: Input) -> io::Result<Self> {
        Ok(Self { format, member: Some(Member::begin(format, input)?) })
    }
}

impl Read for Members {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while let Some(member) = &mut self.member {
            let read = member.read(buffer)?;
            if read > 0 {
                return Ok(read);
            }
            let input = self.member.take().map(Member::into_input);
            self.member = match input {
                Some(input) => next(self.format, input)?,
                None => None,
            };
        }
        Ok(0)
    }
}

/// What follows a member: another, padding of zeros, or nothing. Anything else is no part of an image.
fn next(format: Format, mut input: Input) -> io::Result<Option<Member>> {
    loop {
        let rest = input.fill_buf()?;
        let zeros = rest.iter().take_while(|byte| **byte == 0).count();
        if rest.is_empty() {
            return Ok(None);
        }
        if zeros == 0 {
            break;
        }
        input.consume(zeros);
    }
    let rest = input.buffer();
    // the buffer may end within the magic: then the decoder will see the rest of it
    let begins = |magic: &[u8]| rest.iter().zip(magic).all(|(one, other)| one == other);
    let begins_again = match format {
        Format::Xz => begins(b"\xFD7zXZ\0"),
        Format::Zstd => begins(b"\x28\xB5\x2F\xFD") || is_skippable(rest),
        _ => begins(b"\x1F\x8B"),
    };
    if !begins_again {
        let name = format.name();
        return Err(NotWhole::error(format!("something follows the end of the {name} data")));
    }
    Member::begin(format, input).map(Some)
}
