//! The block map of an image: which of its blocks a card must get, and their hashes.
//!
//! Format 2.0 of bmaptool, which flashes an image by it in a fraction of the time; other tools read it too. A
//! block is mapped if a file system counts on it or if it is not all zeros. Both are in the image itself, not in
//! how this machine's disk keeps it, so the same image has the same map everywhere.

use std::fmt::{self, Write as _};
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use super::used::{BLOCK, Blocks};
use crate::base::Base;
use crate::digest::{of_range, sha256};
use crate::image::next_data;
use crate::interrupt;

/// A block map. Shows itself as the file that bmaptool reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bmap {
    /// The image's length in bytes.
    length: u64,
    /// The mapped blocks, with the hash of what they hold.
    ranges: Vec<(Range<u64>, String)>,
}

impl Bmap {
    /// Maps an image whose file systems count on the blocks in `used`.
    pub(super) fn of(card: &Base, used: Blocks) -> anyhow::Result<Self> {
        let mut blocks = used;
        let (file, length) = (card.file(), card.facts.length);
        add_content(file, length, &mut blocks)?;
        let mut ranges = Vec::new();
        for range in runs(&blocks) {
            let (start, end) = (range.start * BLOCK, (range.end * BLOCK).min(length));
            let hash = of_range(file, start..end, &|_| Ok(interrupt::check()?))?;
            ranges.push((range, hash));
        }
        Ok(Self { length, ranges })
    }

    fn mapped(&self) -> u64 {
        self.ranges.iter().map(|(range, _)| range.end - range.start).sum()
    }

    fn text(&self, own_hash: &str) -> String {
        let Self { length, ranges } = self;
        let blocks = length.div_ceil(BLOCK);
        let mapped = self.mapped();
        let mut text = format!(
            r#"<?xml version="1.0" ?>
<bmap version="2.0">
    <ImageSize> {length} </ImageSize>
    <BlockSize> {BLOCK} </BlockSize>
    <BlocksCount> {blocks} </BlocksCount>
    <MappedBlocksCount> {mapped} </MappedBlocksCount>
    <ChecksumType> sha256 </ChecksumType>
    <BmapFileChecksum> {own_hash} </BmapFileChecksum>
    <BlockMap>
"#
        );
        for (Range { start, end }, hash) in ranges {
            let last = end - 1;
            let place = if *start == last { start.to_string() } else { format!("{start}-{last}") };
            writeln!(text, r#"        <Range chksum="{hash}"> {place} </Range>"#)
                .expect("a string takes everything");
        }
        text + "    </BlockMap>\n</bmap>\n"
    }
}

impl fmt::Display for Bmap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // the file's own hash is taken with zeros in the hash's place
        let hash = sha256(self.text(&"0".repeat(64)).as_bytes());
        f.write_str(&self.text(&hash))
    }
}

/// Adds the blocks that no file system counts on but that are not all zeros: the partition table, and what was
/// deleted.
fn add_content(file: &File, length: u64, blocks: &mut Blocks) -> anyhow::Result<()> {
    let mut buffer = vec![0; usize::try_from(BLOCK).expect("a block is small")];
    let mut at = 0;
    while let Some((start, end)) = next_data(file, at, length)? {
        interrupt::check()?;
        for block in start / BLOCK..end.div_ceil(BLOCK) {
            if blocks.has(block) {
                continue;
            }
            let offset = block * BLOCK;
            let wanted = usize::try_from((length - offset).min(BLOCK))?;
            file.read_exact_at(&mut buffer[..wanted], offset)?;
            if buffer[..wanted].iter().any(|byte| *byte != 0) {
                blocks.insert(block);
            }
        }
        at = end;
    }
    Ok(())
}

/// The runs of blocks in the set, in order.
fn runs(blocks: &Blocks) -> Vec<Range<u64>> {
    let mut runs: Vec<Range<u64>> = Vec::new();
    for block in (0..blocks.count()).filter(|block| blocks.has(*block)) {
        match runs.last_mut() {
            Some(run) if run.end == block => run.end += 1,
            _ => runs.push(block..block + 1),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_zero_is_mapped_to_the_last_byte() {
        let file = tempfile::tempfile().unwrap();
        let length = 20 * BLOCK + 3;
        file.set_len(length).unwrap();
        file.write_all_at(b"x", 2 * BLOCK + 17).unwrap();
        file.write_all_at(&[0; 8192], 8 * BLOCK).unwrap();
        file.write_all_at(b"x", length - 1).unwrap();
        let mut blocks = Blocks::none(length);
        blocks.insert(3);
        add_content(&file, length, &mut blocks).unwrap();
        assert_eq!(runs(&blocks), [2..4, 20..21]);
    }

    #[test]
    fn the_file_holds_its_own_hash() {
        let map = Bmap { length: 9000, ranges: vec![(0..1, "aa".into()), (2..3, "bb".into())] };
        let text = map.to_string();
        assert!(text.contains("<BlocksCount> 3 </BlocksCount>"), "{text}");
        assert!(text.contains("<Range chksum=\"bb\"> 2 </Range>"), "{text}");
        let hash = text.split("<BmapFileChecksum> ").nth(1).unwrap().split(' ').next().unwrap();
        assert_eq!(sha256(text.replace(hash, &"0".repeat(64)).as_bytes()), hash);
    }
}
