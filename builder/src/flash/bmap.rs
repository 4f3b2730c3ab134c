//! Block maps: which blocks of an image hold something, and the checksum of each range of them.
//!
//! The format is bmaptool's, version 2.0 (XML): an image's size, the size of a block, ranges of blocks from the
//! first to the last, each with its SHA-256, and the SHA-256 of the file itself with zeros in that one's place.
//! A block that is in no range is free space, whatever the image holds there.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// A SHA-256.
pub(super) type Checksum = [u8; 32];

/// A range of an image that holds something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mapped {
    /// Its first byte.
    pub(super) start: u64,
    /// The byte after its last.
    pub(super) end: u64,
    /// What it holds.
    pub(super) checksum: Checksum,
}

/// What a block map says of an image.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bmap {
    /// Where it lies.
    pub(super) path: PathBuf,
    /// The image's length in bytes.
    pub(super) length: u64,
    /// In the order in which they lie, apart from each other.
    pub(super) ranges: Vec<Mapped>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    #[serde(rename = "@version")]
    version: String,
    image_size: String,
    block_size: String,
    checksum_type: Option<String>,
    bmap_file_checksum: Option<String>,
    block_map: Ranges,
}

#[derive(Deserialize)]
struct Ranges {
    #[serde(rename = "Range", default)]
    ranges: Vec<Range>,
}

#[derive(Deserialize)]
struct Range {
    #[serde(rename = "@chksum")]
    checksum: Option<String>,
    #[serde(rename = "$text")]
    blocks: String,
}

/// The longest map that is read: one of a terabyte, every second block of which holds something, is shorter.
const LONGEST: u64 = 64 << 20;

impl Bmap {
    /// The map beside an image, if there is one, where bmaptool looks for it: `card.img.xz` has it in
    /// `card.img.xz.bmap`, `card.img.bmap` or `card.bmap`.
    pub(super) fn beside(image: &Path) -> anyhow::Result<Option<Self>> {
        let name = image.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut stem = name.as_str();
        loop {
            let path = image.with_file_name(format!("{stem}.bmap"));
            if path.is_file() {
                let read = || Self::parse(&path, &text(&path)?);
                return read().map(Some).with_context(|| {
                    format!(
                        "reading the block map {}, which lies beside the image (without it, all of the image is written)",
                        path.display()
                    )
                });
            }
            let endings = [".img", ".xz", ".zst", ".gz", ".zip"];
            match endings.iter().find_map(|ending| stem.strip_suffix(ending)) {
                Some(shorter) if !shorter.is_empty() => stem = shorter,
                _ => return Ok(None),
            }
        }
    }

    fn parse(path: &Path, text: &str) -> anyhow::Result<Self> {
        let document: Document =
            quick_xml::de::from_str(text).context("it is no block map as bmaptool writes them")?;
        ensure!(
            document.version.trim().starts_with("2."),
            "it has version {} of the format, of which 2.0 is read",
            document.version.trim()
        );
        let kind = document.checksum_type.as_deref().map_or("none", str::trim);
        ensure!(kind == "sha256", "its checksums are `{kind}`, of which sha256 is read");
        check_itself(text, document.bmap_file_checksum.as_deref())?;
        let length = number(&document.image_size).context("its ImageSize")?;
        let block = number(&document.block_size).context("its BlockSize")?;
        ensure!(
            block.is_power_of_two() && (512..=1 << 30).contains(&block),
            "its blocks have {block} bytes"
        );
        let mut ranges: Vec<Mapped> = Vec::with_capacity(document.block_map.ranges.len());
        for range in &document.block_map.ranges {
            let mapped = range.mapped(block, length)?;
            let before = ranges.last().map_or(0, |before| before.end);
            ensure!(mapped.start >= before, "its range {} is out of order", range.blocks.trim());
            ranges.push(mapped);
        }
        Ok(Self { path: path.to_owned(), length, ranges })
    }
}

impl Range {
    fn mapped(&self, block: u64, length: u64) -> anyhow::Result<Mapped> {
        let blocks = self.blocks.trim();
        let (first, last) = blocks.split_once('-').unwrap_or((blocks, blocks));
        let range = number(first)?.checked_mul(block).zip(number(last)?.checked_add(1));
        let range = range.and_then(|(start, end)| Some((start, end.checked_mul(block)?)));
        // the last block may be cut short by the image's end
        let range = range.map(|(start, end)| (start, end.min(length.max(start))));
        let Some((start, end)) = range.filter(|(start, end)| start < end && *end <= length) else {
            bail!("its range {blocks} is not within the image of {length} bytes");
        };
        let checksum = self.checksum.as_deref().map(str::trim).unwrap_or_default();
        let checksum = digits(checksum)
            .with_context(|| format!("the checksum of its range {blocks} is no SHA-256"))?;
        Ok(Mapped { start, end, checksum })
    }
}

fn text(path: &Path) -> anyhow::Result<String> {
    let length = fs::metadata(path)?.len();
    ensure!(length <= LONGEST, "it has {length} bytes, which no block map has");
    Ok(fs::read_to_string(path)?)
}

/// The map's checksum is that of the map with zeros where the checksum stands.
fn check_itself(text: &str, checksum: Option<&str>) -> anyhow::Result<()> {
    let checksum = checksum.map(str::trim).unwrap_or_default();
    let wanted = digits(checksum).context("it does not hold its own checksum")?;
    let zeros = "0".repeat(checksum.len());
    let found: Checksum = Sha256::digest(text.replacen(checksum, &zeros, 1)).into();
    ensure!(found == wanted, "it is not as it was written: its own checksum does not hold");
    Ok(())
}

fn number(text: &str) -> anyhow::Result<u64> {
    let text = text.trim();
    text.parse().with_context(|| format!("`{text}` is no number"))
}

/// A SHA-256 in hexadecimal digits.
fn digits(text: &str) -> Option<Checksum> {
    let mut checksum = Checksum::default();
    let pairs = text.as_bytes().chunks(2);
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, pair) in checksum.iter_mut().zip(pairs) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(checksum)
}
