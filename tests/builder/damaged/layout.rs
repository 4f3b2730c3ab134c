//! What lies where in an image, so that damage is done where it matters. Knows as much of the formats as that takes.

use std::ops::Range;

/// A part of an image, and how often it is hit.
#[derive(Debug)]
pub(super) struct Region {
    pub(super) name: &'static str,
    pub(super) weight: usize,
    /// Bytes of one entry of it, which are what is copied from place to place.
    pub(super) entry: usize,
    pub(super) ranges: Vec<Range<usize>>,
}

impl Region {
    fn new(name: &'static str, weight: usize, entry: usize, ranges: Vec<Range<usize>>) -> Self {
        assert!(!ranges.is_empty(), "the base has no {name}");
        Self { name, weight, entry, ranges }
    }
}

const SECTOR: usize = 512;
const INODE: usize = 256;

/// The regions of a base, which is sound.
pub(super) fn regions(image: &[u8]) -> Vec<Region> {
    let mut regions = vec![Region::new("partition table", 3, 16, one(440..512))];
    fat(image, word(image, 454) * SECTOR, &mut regions);
    ext4(image, word(image, 470) * SECTOR, &mut regions);
    let used = (0..image.len()).step_by(SECTOR).map(|at| at..at + SECTOR);
    let used = used.filter(|range| image[range.clone()].iter().any(|byte| *byte != 0));
    regions.push(Region::new("anything used", 2, 32, used.collect()));
    regions
}

/// Those of a FAT32 file system with clusters of one sector.
fn fat(image: &[u8], start: usize, regions: &mut Vec<Region>) {
    let (reserved, length) = (half(image, start + 14) * SECTOR, word(image, start + 36) * SECTOR);
    let table = start + reserved;
    let data = table + 2 * length;
    let chain = |first: usize| {
        let next = |cluster: &usize| {
            let next = word(image, table + 4 * cluster) & 0x0FFF_FFFF;
            (2..0x0FFF_FFF0).contains(&next).then_some(next)
        };
        std::iter::successors(Some(first), next)
    };
    let sector = |cluster: usize| data + (cluster - 2) * SECTOR..data + (cluster - 1) * SECTOR;
    let mut folders: Vec<Range<usize>> = chain(2).map(sector).collect();
    let entries = folders.iter().cloned().flat_map(|range| range.step_by(32));
    // a folder, and not the long name of something
    let inner = entries.filter(|at| image[at + 11] == 0x10);
    let inner: Vec<usize> = inner.map(|at| half(image, at + 26)).collect();
    folders.extend(inner.into_iter().flat_map(chain).map(sector));
    let used = (0..length / 4).rev().find(|entry| word(image, table + 4 * entry) != 0).unwrap();
    let table_of = |number: usize| {
        let start = table + number * length;
        start..start + 4 * (used + 4)
    };
    let parameters = start + 3..start + 90;
    regions.push(Region::new(
        "boot sector",
        6,
        4,
        vec![parameters.clone(), parameters, start..start + SECTOR],
    ));
    regions.push(Region::new("free count and copy", 2, 4, one(start + SECTOR..start + 8 * SECTOR)));
    regions.push(Region::new("allocation table", 6, 4, one(table_of(0))));
    regions.push(Region::new("second table", 2, 4, one(table_of(1))));
    regions.push(Region::new("boot folders", 6, 32, folders));
}

/// Those of an ext4 file system of few groups.
fn ext4(image: &[u8], start: usize, regions: &mut Vec<Region>) {
    let superblock = start + 1024;
    let block = 1024 << word(image, superblock + 24);
    let descriptors = start + block.max(2048);
    let groups = word(image, superblock + 4).div_ceil(word(image, superblock + 32));
    let at = |field: usize| start + word(image, descriptors + field) * block;
    let inodes = at(8);
    let unused = half(image, descriptors + 14);
    let used = word(image, superblock + 40) - unused;
    // what matters in an inode is in its first half
    let inodes = (0..used).map(|number| inodes + number * INODE);
    let blocks = (start..image.len()).step_by(block).map(|at| at..at + block);
    let blocks: Vec<Range<usize>> =
        blocks.filter(|range| image[range.clone()].iter().any(|byte| *byte != 0)).collect();
    let those = |wanted: &dyn Fn(&[u8]) -> bool| -> Vec<Range<usize>> {
        blocks.iter().filter(|range| wanted(&image[(*range).clone()])).cloned().collect()
    };
    let is_folder = |bytes: &[u8]| half(bytes, 4) == 12 && bytes[6..9] == [1, 2, b'.'];
    let texts = ["PRETTY_NAME", "PARTUUID=12345678-02 ", "Package: dpkg", "root:x:0", "\x7FELF"];
    let is_text = |bytes: &[u8]| texts.iter().any(|text| bytes.starts_with(text.as_bytes()));
    let superblock = superblock..superblock + 0x178;
    let all = superblock.start..superblock.start + 1024;
    regions.push(Region::new("superblock", 6, 4, vec![superblock.clone(), superblock, all]));
    regions.push(Region::new(
        "group descriptors",
        4,
        32,
        one(descriptors..descriptors + groups * 32),
    ));
    regions.push(Region::new("bitmaps", 1, 1, vec![at(0)..at(0) + block, at(4)..at(4) + block]));
    regions.push(Region::new("inodes", 10, INODE, inodes.map(|at| at..at + 128).collect()));
    regions.push(Region::new("root folders", 6, 12, those(&is_folder)));
    regions.push(Region::new("extents", 3, 12, those(&|bytes| bytes.starts_with(&[0x0A, 0xF3]))));
    regions.push(Region::new("texts", 4, 1, those(&is_text)));
}

/// A region of one range.
fn one(range: Range<usize>) -> Vec<Range<usize>> {
    std::iter::once(range).collect()
}

fn half(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]))
}

fn word(bytes: &[u8], at: usize) -> usize {
    half(bytes, at) | half(bytes, at + 2) << 16
}
