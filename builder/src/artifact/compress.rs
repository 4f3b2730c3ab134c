//! An image as a stream through a compressor that uses every processor.
//!
//! The bytes must not depend on how many those are: zstd and xz cut the input into blocks by its length
//! alone once they are told to use threads, be it one. So they are always told.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::thread::available_parallelism;

use anyhow::Context;
use flate2::write::GzEncoder;
use zstd::stream::write::Encoder as ZstdEncoder;

use super::target::Format;
use super::xz::Encoder as XzEncoder;
use crate::digest::{Hashing, STEP, Written};
use crate::image::next_data;
use crate::interrupt;

/// Is told how many of how many bytes are done.
pub type Progress<'a> = &'a dyn Fn(u64, u64);

/// The levels are the commands' own defaults.
const ZSTD_LEVEL: i32 = 3;
const XZ_LEVEL: u32 = 6;
const GZIP_LEVEL: u32 = 6;

/// Compresses `image` into `sink`.
pub(super) fn compress(
    image: &File,
    format: Format,
    sink: &File,
    progress: Progress<'_>,
) -> anyhow::Result<Written> {
    let threads = available_parallelism().map_or(1, std::num::NonZero::get);
    let written = with_threads(image, format, sink, u32::try_from(threads).unwrap_or(1), progress);
    if written.is_err() {
        // a signal in the middle of a step comes out as an error of writing
        interrupt::check()?;
    }
    written.context("compressing the image")
}

/// Hashes an image as it is.
pub(super) fn hash(image: &File, progress: Progress<'_>) -> anyhow::Result<Written> {
    with_threads(image, Format::Plain, io::sink(), 1, progress).context("hashing the image")
}

fn with_threads(
    image: &File,
    format: Format,
    sink: impl Write,
    threads: u32,
    progress: Progress<'_>,
) -> anyhow::Result<Written> {
    let mut sink = Hashing::new(sink);
    let sink = match format {
        Format::Plain => {
            feed(image, &mut sink, progress)?;
            sink
        }
        Format::Zstd => {
            let mut encoder = ZstdEncoder::new(sink, ZSTD_LEVEL)?;
            encoder.multithread(threads)?;
            encoder.include_checksum(true)?;
            encoder.set_pledged_src_size(Some(image.metadata()?.len()))?;
            feed(image, &mut encoder, progress)?;
            encoder.finish()?
        }
        Format::Xz => {
            let mut encoder = XzEncoder::new(sink, XZ_LEVEL, threads)?;
            feed(image, &mut encoder, progress)?;
            encoder.finish()?
        }
        Format::Gzip => {
            let mut encoder = GzEncoder::new(sink, flate2::Compression::new(GZIP_LEVEL));
            feed(image, &mut encoder, progress)?;
            encoder.finish()?
        }
    };
    Ok(sink.finish().1)
}

/// The image from its beginning to its end. Holes are not read.
fn feed(image: &File, sink: &mut impl Write, progress: Progress<'_>) -> anyhow::Result<()> {
    let length = image.metadata()?.len();
    let zeros = vec![0; STEP];
    let mut buffer = vec![0; STEP];
    let mut at = 0;
    while at < length {
        let (start, end) = next_data(image, at, length)?.unwrap_or((length, length));
        while at < end {
            interrupt::check()?;
            progress(at, length);
            let is_hole = at < start;
            let until = if is_hole { start } else { end };
            let wanted = STEP.min(usize::try_from(until - at).unwrap_or(STEP));
            if is_hole {
                sink.write_all(&zeros[..wanted])?;
            } else {
                image.read_exact_at(&mut buffer[..wanted], at)?;
                sink.write_all(&buffer[..wanted])?;
            }
            at += wanted as u64;
        }
    }
    progress(length, length);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// More than a block of xz, of which a part is a hole and a part can be compressed.
    fn image() -> File {
        const LENGTH: u64 = 30 << 20;
        let image = tempfile::tempfile().unwrap();
        image.set_len(LENGTH).unwrap();
        let mut state = 1_u32;
        for at in (0..LENGTH).step_by(STEP).filter(|at| at / STEP as u64 % 3 != 1) {
            let bytes: Vec<u8> = (0..STEP / 8)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    state.to_be_bytes()[0] & 0x3f
                })
                .collect();
            image.write_all_at(&bytes, at).unwrap();
        }
        image
    }

    #[test]
    fn the_bytes_do_not_depend_on_the_number_of_threads() {
        let image = image();
        for format in [Format::Zstd, Format::Xz, Format::Gzip] {
            let outputs = [1, 2, 5].map(|threads| {
                let sink = tempfile::NamedTempFile::new().unwrap();
                let written = with_threads(&image, format, sink.as_file(), threads, &|_, _| ());
                let bytes = fs::read(sink.path()).unwrap();
                assert_eq!(written.unwrap(), Written::of(&bytes));
                bytes
            });
            assert!(outputs[0] == outputs[1] && outputs[1] == outputs[2], "{format:?}");
            assert!(outputs[0].len() < 15 << 20, "{format:?}: {}", outputs[0].len());
        }
    }

    #[test]
    fn progress_reaches_the_end() {
        let image = tempfile::tempfile().unwrap();
        image.set_len(3 << 20).unwrap();
        let told = std::cell::RefCell::new(Vec::new());
        let sink = tempfile::tempfile().unwrap();
        compress(&image, Format::Gzip, &sink, &|done, of| told.borrow_mut().push((done, of)))
            .unwrap();
        let mib = |n: u64| (n << 20, 3 << 20);
        assert_eq!(told.take(), [mib(0), mib(1), mib(2), mib(3)]);
    }
}
