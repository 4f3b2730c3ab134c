//! What is done to an image: bits and bytes changed where it matters, or its end cut off.

use std::fmt;
use std::ops::Range;

use super::layout::Region;
use crate::random::Random;

/// Some damage. Shows itself as what it is.
#[derive(Debug, Default)]
pub(super) struct Damage {
    pub(super) changes: Vec<Change>,
    /// How long the image is left, if its end is cut off.
    pub(super) length: Option<usize>,
}

/// Bytes in place of others.
#[derive(Debug)]
pub(super) struct Change {
    region: &'static str,
    pub(super) at: usize,
    pub(super) bytes: Vec<u8>,
}

impl Damage {
    /// Some damage to an image.
    pub(super) fn of(image: &[u8], regions: &[Region], random: &mut Random) -> Self {
        let mut damage = Self::default();
        if random.below(40) == 0 {
            damage.length = Some(shorter(image.len(), regions, random));
        }
        let changes = match random.below(20) {
            _ if damage.length.is_some() => random.below(2),
            0..=12 => 1,
            13..=17 => 2 + random.below(2),
            _ => 4 + random.below(13),
        };
        let total = regions.iter().map(|region| region.weight).sum();
        for _ in 0..changes {
            let mut chosen = random.below(total);
            let hit = |region: &&Region| match chosen.checked_sub(region.weight) {
                Some(rest) => {
                    chosen = rest;
                    false
                }
                None => true,
            };
            let region = regions.iter().find(hit).expect("the weights add up");
            damage.changes.push(change(image, region, random));
        }
        damage
    }
}

/// Where an image ends whose end is missing: anywhere, or at the end of something.
fn shorter(length: usize, regions: &[Region], random: &mut Random) -> usize {
    let region = random.of(regions);
    let end = random.of(&region.ranges).end;
    match random.below(4) {
        0 => random.below(length),
        1 => random.below(length) / 512 * 512,
        2 => length - 1 - random.below(4096),
        _ => end - random.below(2),
    }
}

fn change(image: &[u8], region: &Region, random: &mut Random) -> Change {
    let range = random.of(&region.ranges).clone();
    let (at, bytes) = match random.below(16) {
        0..=4 => number(image, region, &range, 4, random),
        5..=7 => number(image, region, &range, 2, random),
        8..=9 => number(image, region, &range, 1, random),
        10..=12 => {
            let at = range.start + random.below(range.len());
            (at, vec![image[at] ^ 1 << random.below(8)])
        }
        13 => {
            let at = range.start + random.below(range.len());
            let length = (2 + random.below(63)).min(range.end - at);
            let byte = *random.of(&[0, 0xFF, 0x20, b'A']);
            (at, vec![byte; length])
        }
        14 => {
            let at = range.start + random.below(range.len());
            let length = (1 + random.below(16)).min(range.end - at);
            (at, (0..length).map(|_| random.next().to_le_bytes()[0]).collect())
        }
        // an entry in the place of another
        _ => {
            let from = random.of(&region.ranges).clone();
            let entry = |range: &Range<usize>, random: &mut Random| {
                let length = region.entry.min(range.len());
                range.start + random.below(range.len() / length) * length
            };
            let (from, to) = (entry(&from, random), entry(&range, random));
            let length = region.entry.min(range.end - to);
            (to, image[from..from + length].to_vec())
        }
    };
    Change { region: region.name, at, bytes }
}

/// A number of so many bytes, in its place, that is another one.
fn number(
    image: &[u8],
    region: &Region,
    range: &Range<usize>,
    width: usize,
    random: &mut Random,
) -> (usize, Vec<u8>) {
    let place = |range: &Range<usize>, random: &mut Random| {
        range.start + random.below(range.len() / width) * width
    };
    let read = |at: usize| {
        image[at..at + width]
            .iter()
            .rev()
            .fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
    };
    let at = place(range, random);
    let now = read(at);
    let other = read(place(&random.of(&region.ranges).clone(), random));
    let most = u64::MAX >> (64 - 8 * width);
    let new = match random.below(14) {
        0 => 0,
        1 => 1,
        2 => most,
        3 => most - random.below(16) as u64,
        4 => most / 2,
        5 => most / 2 + 1,
        6 => now.wrapping_add(1),
        7 => now.wrapping_sub(1),
        8 => now.wrapping_mul(2),
        9 => now / 2,
        10 => 1 << random.below(8 * width),
        11 => random.below(300) as u64,
        12 => random.next(),
        _ => other,
    };
    (at, new.to_le_bytes()[..width].to_vec())
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for Change { region, at, bytes } in &self.changes {
            write!(f, "{separator}{region} at {at:#x}: {bytes:02x?}")?;
            separator = "; ";
        }
        if let Some(length) = self.length {
            write!(f, "{separator}cut to {length} bytes")?;
        }
        Ok(())
    }
}
