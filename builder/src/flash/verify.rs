//! Reading back: every block that was written, and every one that has to be zero.

use super::buffer::Buffer;
use super::damage::{self, Damage, Differences, Differing};
use super::source::PIECE;
use super::target::Target;
use super::written::{BLOCK, Extent, Written, ZEROS, print};
use crate::interrupt;
use crate::progress::Work;

/// Compares the card with what was written to it; what is wrong with it is found out from all differences
/// together.
pub(super) fn all(written: &Written, target: &mut dyn Target, work: &Work) -> anyhow::Result<()> {
    let mut buffer = Buffer::new(PIECE);
    let mut differences = Differences::default();
    let mut done = 0;
    for extent in &written.extents {
        for (start, length) in steps(extent) {
            interrupt::check()?;
            let padded = length.next_multiple_of(target.unit());
            let offset = extent.offset + start;
            damage::read(target, offset, &mut buffer[..padded])?;
            compare(extent, start, &buffer[..length], &mut differences);
            done += length as u64;
            work.at(done);
        }
    }
    differences.cause(written, target).map_or(Ok(()), |damage| Err(damage.into()))
}

/// The pieces of an extent: where each begins in it, and how long it is.
fn steps(extent: &Extent) -> impl Iterator<Item = (u64, usize)> {
    let length = extent.length;
    (0..length)
        .step_by(PIECE)
        .map(move |start| (start, usize::try_from(length - start).unwrap_or(PIECE).min(PIECE)))
}

fn compare(extent: &Extent, start: u64, bytes: &[u8], differences: &mut Differences) {
    let first = usize::try_from(start).map_or(usize::MAX, |start| start / BLOCK);
    let prints = extent.prints.as_ref().map(|prints| &prints[first..]);
    let offsets = (extent.offset + start..).step_by(BLOCK);
    for (index, (block, offset)) in bytes.chunks(BLOCK).zip(offsets).enumerate() {
        match prints {
            None if block == &ZEROS[..block.len()] => {}
            Some(prints) if prints[index] == print(block) => {}
            _ => differences.note(offset, print(block)),
        }
    }
}

/// Compares the card's first block with the image's.
pub(super) fn head(head: &[u8], target: &mut dyn Target) -> anyhow::Result<()> {
    let mut buffer = Buffer::new(BLOCK);
    let padded = head.len().next_multiple_of(target.unit());
    damage::read(target, 0, &mut buffer[..padded])?;
    if buffer[..head.len()] == *head {
        return Ok(());
    }
    Err(Damage::Forgets { differing: Differing { blocks: 1, first: 0 } }.into())
}
