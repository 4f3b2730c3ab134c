//! Writing: one thread reads the image, unpacks and checks it, another hands it to the card.

use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread;

use super::buffer::Buffer;
use super::damage::{self, Damage};
use super::refuse::Refusal;
use super::source::{PIECE, Piece, Source};
use super::target::Target;
use super::written::{BLOCK, Extent, Print, Written, ZEROS, print};
use crate::interrupt;
use crate::progress::Work;

/// Pieces in memory: one is read while one is written and one waits.
const BUFFERS: usize = 3;

/// What goes from one thread to the other.
enum Read {
    Data { offset: u64, length: usize, buffer: Buffer, prints: Vec<Print> },
    Zeros { offset: u64, length: u64 },
}

/// Writes all of the image but its first block, and says what was written; prints of it are kept for who reads it
/// back.
pub(super) fn all(
    source: Source,
    target: &mut dyn Target,
    device: &str,
    keep_prints: bool,
    work: &Work,
) -> anyhow::Result<Written> {
    let (pieces, read) = sync_channel(BUFFERS);
    let (free, buffers) = channel();
    for _ in 0..BUFFERS {
        // the other end is in this function
        let _ = free.send(Buffer::new(PIECE));
    }
    let mut written = Written::default();
    thread::scope(|scope| {
        // dropped when this side gives up, so that the reader does not wait for ever
        let (free, read) = (free, read);
        let reader = scope.spawn(move || read_all(source, keep_prints, &pieces, &buffers));
        let mut scratch = Buffer::new(PIECE);
        let mut done = 0;
        for piece in read {
            interrupt::check()?;
            let extent = match piece {
                Read::Data { offset, length, mut buffer, prints } => {
                    let end = offset + length as u64;
                    fits(target, device, end)?;
                    if offset == 0 {
                        written.head = take_head(&mut buffer[..length]);
                    }
                    let padded = length.next_multiple_of(target.unit());
                    damage::write(target, offset, &buffer[..padded])?;
                    // the reader has ended if nobody takes it
                    let _ = free.send(buffer);
                    Extent { offset, length: length as u64, prints: Some(prints) }
                }
                Read::Zeros { offset, length } => {
                    fits(target, device, offset + length)?;
                    make_zero(target, offset, length, &mut scratch)?;
                    Extent { offset, length, prints: None }
                }
            };
            done += extent.length;
            work.at(done);
            written.extents.push(extent);
        }
        reader.join().expect("reading an image does not panic")
    })?;
    damage::flush(target, written.extents.last().map_or(0, |last| last.offset + last.length))?;
    Ok(written)
}

/// An image whose length was not known may prove too long in the end.
fn fits(target: &dyn Target, device: &str, end: u64) -> Result<(), Refusal> {
    let length = target.length();
    if end <= length {
        return Ok(());
    }
    Err(Refusal::TooSmall { device: device.to_owned(), length, image: end })
}

/// Takes the first block out of the first piece: zeros are written in its place.
fn take_head(bytes: &mut [u8]) -> Vec<u8> {
    let end = bytes.len().min(BLOCK);
    let head = bytes[..end].to_vec();
    bytes[..end].fill(0);
    head
}

fn read_all(
    mut source: Source,
    keep_prints: bool,
    pieces: &SyncSender<Read>,
    buffers: &Receiver<Buffer>,
) -> anyhow::Result<()> {
    // both channels are closed when the other side gave up, and it says why
    let Ok(mut buffer) = buffers.recv() else { return Ok(()) };
    while let Some(piece) = source.next(&mut buffer)? {
        interrupt::check()?;
        let read = match piece {
            Piece::Zeros { offset, length } => Read::Zeros { offset, length },
            Piece::Data { offset, length } => {
                let prints =
                    if keep_prints { prints(offset, &buffer[..length]) } else { Vec::new() };
                let Ok(next) = buffers.recv() else { return Ok(()) };
                let buffer = std::mem::replace(&mut buffer, next);
                Read::Data { offset, length, buffer, prints }
            }
        };
        if pieces.send(read).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// The prints of what is going to be at `offset`: the first block is zero until all the rest is written.
fn prints(offset: u64, bytes: &[u8]) -> Vec<Print> {
    let mut prints: Vec<Print> = bytes.chunks(BLOCK).map(print).collect();
    if offset == 0 {
        prints[0] = print(&ZEROS[..bytes.len().min(BLOCK)]);
    }
    prints
}

/// Writes zeros where the card has something else: reading wears nothing, and is faster than writing.
fn make_zero(
    target: &mut dyn Target,
    offset: u64,
    length: u64,
    scratch: &mut Buffer,
) -> anyhow::Result<()> {
    let end = offset + length;
    let mut at = offset;
    while at < end {
        interrupt::check()?;
        let step = usize::try_from(end - at).unwrap_or(PIECE).min(PIECE);
        let bytes = &mut scratch[..step.next_multiple_of(target.unit())];
        if !target.is_hole(at, step as u64) && !is_zero(target, at, bytes)? {
            bytes.fill(0);
            damage::write(target, at, bytes)?;
        }
        at += step as u64;
    }
    Ok(())
}

/// What cannot be read may still be written: only a card that is gone ends it.
fn is_zero(target: &mut dyn Target, at: u64, bytes: &mut [u8]) -> Result<bool, Damage> {
    match damage::read(target, at, bytes) {
        Ok(()) => Ok(bytes.chunks(BLOCK).all(|block| block == &ZEROS[..block.len()])),
        Err(gone @ Damage::Gone { .. }) => Err(gone),
        Err(_) => Ok(false),
    }
}
