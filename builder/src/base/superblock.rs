//! The ext4 superblock, as far as a builder must know it before it lets anything write there.
//!
//! Read here and not through `ext4-view`, because that reader replays a journal in memory without a
//! word, while e2fsprogs would write beside it: what was injected would be overwritten at the next boot.

use anyhow::{Context, bail, ensure};

use super::little_endian;
use super::partition::Window;

const START: u64 = 1024;
const SIZE: usize = 1024;
const MAGIC: u16 = 0xEF53;

/// The fewest blocks of a group that mke2fs takes.
const LEAST_IN_GROUP: u32 = 256;

const STATE_CLEAN: u16 = 0x1;
const STATE_ERRORS: u16 = 0x2;
const INCOMPAT_RECOVER: u32 = 0x4;
const INCOMPAT_JOURNAL_DEVICE: u32 = 0x8;
const INCOMPAT_64BIT: u32 = 0x80;
const RO_COMPAT_ORPHAN_PRESENT: u32 = 0x1_0000;

/// What the superblock says.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Superblock {
    /// Bytes of a block.
    pub block_size: u64,
    /// Blocks in all.
    pub blocks: u64,
    /// Blocks that hold nothing.
    pub free_blocks: u64,
    /// Files that can still be made.
    pub free_inodes: u32,
    /// Blocks of a whole block group.
    pub group_blocks: u64,
    /// Inodes of a block group.
    pub group_inodes: u32,
    /// Bytes of an inode.
    pub inode_size: u16,
    /// Features that may be ignored.
    pub compatible: u32,
    /// Features that must be known to read.
    pub incompatible: u32,
    /// Features that must be known to write.
    pub read_only_compatible: u32,
    /// The file system's UUID, as 32 hexadecimal digits.
    pub uuid: String,
    /// Its label.
    pub label: String,
    /// When it was made, in seconds since 1970.
    pub made: u64,
    state: u16,
}

impl Superblock {
    /// Reads the superblock of the file system that fills `window`.
    pub fn read(window: &Window) -> anyhow::Result<Self> {
        let mut bytes = [0; SIZE];
        window.read_at(START, &mut bytes).context("reading the root file system")?;
        Self::decode(&bytes)
    }

    fn decode(bytes: &[u8; SIZE]) -> anyhow::Result<Self> {
        let half = |at: usize| little_endian::half(bytes, at);
        let word = |at: usize| little_endian::word(bytes, at);
        ensure!(half(0x38) == MAGIC, "the root partition holds no ext4 file system");
        let incompatible = word(0x60);
        let wide = |low: usize, high: usize| {
            let high = if incompatible & INCOMPAT_64BIT == 0 { 0 } else { word(high) };
            u64::from(word(low)) | u64::from(high) << 32
        };
        // e2fsprogs does not look at the high half, the kernel and ext4-view do: for them it is full of groups
        ensure!(
            incompatible & INCOMPAT_64BIT != 0 || word(0x150) == 0,
            "the root file system's superblock is damaged: it counts more blocks than it can have"
        );
        ensure!(
            word(0x20) >= LEAST_IN_GROUP,
            "the root file system's superblock is damaged: it puts {} blocks into a group",
            word(0x20)
        );
        let label = &bytes[0x78..0x88];
        let label = &label[..label.iter().position(|byte| *byte == 0).unwrap_or(label.len())];
        Ok(Self {
            block_size: 1024_u64.checked_shl(word(0x18)).context("reading the size of a block")?,
            blocks: wide(0x04, 0x150),
            free_blocks: wide(0x0C, 0x158),
            free_inodes: word(0x10),
            group_blocks: u64::from(word(0x20)),
            group_inodes: word(0x28),
            inode_size: half(0x58),
            compatible: word(0x5C),
            incompatible,
            read_only_compatible: word(0x64),
            uuid: super::hex(&bytes[0x68..0x78]),
            label: String::from_utf8_lossy(label).into_owned(),
            made: u64::from(word(0x108)) | u64::from(bytes[0x276]) << 32,
            state: half(0x3A),
        })
    }

    /// Bytes that hold nothing.
    pub fn free_bytes(&self) -> u64 {
        self.free_blocks.saturating_mul(self.block_size)
    }

    /// Its length in bytes.
    pub fn length(&self) -> u64 {
        self.blocks.saturating_mul(self.block_size)
    }

    /// Blocks of a new block group that hold nothing of files: at most, with a copy of the superblock, of the group
    /// descriptors and of the room for more of them; two bitmaps; the table of its inodes.
    pub fn group_overhead(&self) -> u64 {
        let inodes = u64::from(self.group_inodes) * u64::from(self.inode_size);
        // the inode that reserves room for descriptors has as many blocks as fit into one indirect block
        let descriptors = self.block_size / 4 + self.blocks.div_ceil(self.block_size.max(1));
        3 + descriptors + inodes.div_ceil(self.block_size.max(1))
    }

    /// Refuses a file system that must not be written to as it is.
    pub fn check(&self, partition_length: u64) -> anyhow::Result<()> {
        let length = self.length();
        if length > partition_length {
            bail!(
                "the root file system of {length} bytes is longer than its partition of {partition_length}"
            );
        }
        if self.incompatible & INCOMPAT_JOURNAL_DEVICE != 0 {
            bail!("the root file system's journal lies on another device");
        }
        if self.incompatible & INCOMPAT_RECOVER != 0 {
            bail!(
                "the base's journal has not been replayed: it was not shut down cleanly; \
                 run `e2fsck -p` on its root partition, or take a fresh one"
            );
        }
        let orphans = self.read_only_compatible & RO_COMPAT_ORPHAN_PRESENT != 0;
        if self.state & STATE_ERRORS != 0 || self.state & STATE_CLEAN == 0 || orphans {
            bail!(
                "the root file system is not marked clean; \
                 run `e2fsck -p` on its partition, or take a fresh base"
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn superblock() -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        bytes[0x04] = 100;
        bytes[0x0C] = 40;
        bytes[0x18] = 2;
        bytes[0x21] = 0x80;
        bytes[0x38..0x3A].copy_from_slice(&MAGIC.to_le_bytes());
        bytes[0x3A] = 1;
        bytes[0x78..0x7E].copy_from_slice(b"rootfs");
        bytes[0x108..0x10C].copy_from_slice(&1_700_000_000_u32.to_le_bytes());
        bytes
    }

    #[test]
    fn the_figures_are_read() {
        let superblock = Superblock::decode(&superblock()).unwrap();
        assert_eq!(
            (superblock.block_size, superblock.blocks, superblock.free_bytes()),
            (4096, 100, 163_840)
        );
        assert_eq!((superblock.label.as_str(), superblock.made), ("rootfs", 1_700_000_000));
        assert!(superblock.check(409_600).is_ok());
    }

    #[test]
    fn the_high_half_counts_only_with_64_bits() {
        let mut bytes = superblock();
        bytes[0x158] = 1;
        assert_eq!(Superblock::decode(&bytes).unwrap().free_blocks, 40);
        bytes[0x60] = 0x80;
        assert_eq!(Superblock::decode(&bytes).unwrap().free_blocks, 40 + (1 << 32));
    }

    #[test]
    fn what_must_not_be_written_to_is_refused() {
        let refusal = |at: usize, value: u8| {
            let mut bytes = superblock();
            bytes[at] = value;
            Superblock::decode(&bytes).unwrap().check(409_600).unwrap_err().to_string()
        };
        assert!(refusal(0x60, 0x04).contains("journal has not been replayed"));
        assert!(refusal(0x3A, 0x00).contains("not marked clean"));
        assert!(refusal(0x3A, 0x03).contains("not marked clean"));
        assert!(refusal(0x66, 0x01).contains("not marked clean"));
        assert!(refusal(0x04, 101).contains("longer than its partition"));
        let damaged = |at: usize, value: u8| {
            let mut bytes = superblock();
            bytes[at] = value;
            Superblock::decode(&bytes).unwrap_err().to_string()
        };
        assert!(damaged(0x151, 0x41).ends_with("it counts more blocks than it can have"));
        assert!(damaged(0x21, 0x00).ends_with("it puts 0 blocks into a group"));
        assert_eq!(
            Superblock::decode(&[0; SIZE]).unwrap_err().to_string(),
            "the root partition holds no ext4 file system"
        );
    }
}
