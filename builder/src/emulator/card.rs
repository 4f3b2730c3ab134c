//! The card in the emulated Pi: a working copy of the image, and the files that it boots from.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::board::Facts;
use super::firmware::Choice;
use crate::base::table::Label;
use crate::image::sparse_copy;
use crate::tool::Tool;

/// A working copy of a card image, which an emulated Pi may write to. It lies in the scratch folder as
/// long as that does, so what a Pi left on it can be read, and it can be booted again.
#[derive(Clone, Debug)]
pub struct Card {
    path: PathBuf,
    boot_offset: u64,
}

/// What QEMU is handed in place of the firmware's work.
#[derive(Debug)]
pub(super) struct BootFiles {
    pub(super) kernel: PathBuf,
    pub(super) initrd: Option<PathBuf>,
    pub(super) device_tree: PathBuf,
    pub(super) command_line: String,
}

impl Card {
    /// Copies `image` into `scratch`, sparse, and grows the copy to the next power of two, as QEMU
    /// wants a card. The image itself is only read.
    pub fn prepare(image: &Path, scratch: &Path) -> Result<Self> {
        let boot_offset = boot_offset(image)?;
        let path = scratch.join("card.img");
        let card = File::create_new(&path).with_context(|| format!("making {}", path.display()))?;
        File::open(image)
            .map_err(anyhow::Error::from)
            .and_then(|image| sparse_copy(&image, &card))
            .with_context(|| format!("copying {}", image.display()))?;
        let length = card.metadata()?.len();
        card.set_len(length.next_power_of_two()).context("growing the copy of the image")?;
        Ok(Self { path, boot_offset })
    }

    /// Where the working copy lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads out of the boot partition what the firmware would load for `board`, now: an earlier boot
    /// may have changed it.
    pub(super) fn boot_files(&self, board: &Facts, folder: &Path) -> Result<BootFiles> {
        let choice = Choice::read(&self.read("config.txt", folder)?, board);
        let names = self.names()?;
        let device_tree = board
            .device_trees
            .iter()
            .find(|tree| names.iter().any(|name| name.eq_ignore_ascii_case(tree)))
            .with_context(|| {
                format!("the boot partition holds none of {}", board.device_trees.join(", "))
            })?;
        Ok(BootFiles {
            kernel: self.extract(&choice.kernel, folder, "kernel")?,
            initrd: choice
                .initrd
                .map(|initrd| self.extract(&initrd, folder, "initrd"))
                .transpose()?,
            device_tree: self.extract(device_tree, folder, "board.dtb")?,
            command_line: self.read(&choice.command_line, folder)?,
        })
    }

    /// The names in the root of the boot partition.
    fn names(&self) -> Result<Vec<String>> {
        let listing = self.mtool("mdir", "listing the boot partition").args(["-b", "::/"]).run()?;
        Ok(listing.lines().map(|line| line.trim().trim_start_matches("::/").to_owned()).collect())
    }

    fn read(&self, name: &str, folder: &Path) -> Result<String> {
        let path = self.extract(name, folder, "text")?;
        let bytes = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn extract(&self, name: &str, folder: &Path, to: &str) -> Result<PathBuf> {
        let path = folder.join(to);
        self.mtool("mcopy", &format!("reading {name} out of the boot partition"))
            .arg("-n")
            .arg(format!("::/{name}"))
            .arg(&path)
            .run()?;
        Ok(path)
    }

    fn mtool(&self, program: &'static str, title: &str) -> Tool {
        let mut partition = self.path.clone().into_os_string();
        partition.push(format!("@@{}", self.boot_offset));
        // a partition need not fill whole tracks of a geometry that no card has
        Tool::new(program, title).env("MTOOLS_SKIP_CHECK", "1").arg("-i").arg(partition)
    }
}

/// Where the partition that the firmware boots from begins, in bytes.
fn boot_offset(image: &Path) -> Result<u64> {
    let file = File::open(image).with_context(|| format!("opening {}", image.display()))?;
    let label = Label::read(&file).with_context(|| format!("reading {}", image.display()))?;
    let boot = label.boot();
    let boot = boot.with_context(|| format!("{} has no boot partition (FAT)", image.display()))?;
    Ok(boot.offset())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::super::board::Board;
    use super::super::trial::image;
    use super::*;

    #[test]
    fn the_copy_grows_to_a_power_of_two_and_the_product_stays() {
        let folder = tempfile::tempdir().unwrap();
        let image = image(folder.path(), &[]);
        let before = fs::read(&image).unwrap();
        let card = Card::prepare(&image, folder.path()).unwrap();
        let copy = fs::metadata(card.path()).unwrap();
        assert_eq!(copy.len(), 32 << 20);
        assert!(copy.blocks() * 512 < 8 << 20, "the copy is not sparse");
        assert_eq!(fs::read(&image).unwrap(), before);
        assert_eq!(fs::read(card.path()).unwrap()[..before.len()], before);
    }

    #[test]
    fn the_firmwares_files_are_read_from_the_copy() {
        let folder = tempfile::tempdir().unwrap();
        let image = image(
            folder.path(),
            &[
                ("config.txt", b"kernel=vmlinuz-6.12-arm64\ninitramfs initrd.img-6.12-arm64\n"),
                ("cmdline.txt", b"root=/dev/mmcblk0p2\n"),
                ("vmlinuz-6.12-arm64", b"kernel"),
                ("initrd.img-6.12-arm64", b"initrd"),
                ("bcm2837-rpi-3-b.dtb", b"tree"),
            ],
        );
        let scratch = tempfile::tempdir().unwrap();
        let card = Card::prepare(&image, scratch.path()).unwrap();
        let files = card.boot_files(Board::Pi3.facts(), scratch.path()).unwrap();
        assert_eq!(fs::read(files.kernel).unwrap(), b"kernel");
        assert_eq!(fs::read(files.initrd.unwrap()).unwrap(), b"initrd");
        assert_eq!(fs::read(files.device_tree).unwrap(), b"tree");
        assert_eq!(files.command_line, "root=/dev/mmcblk0p2\n");

        let error = card.boot_files(Board::PiZeroW.facts(), scratch.path()).unwrap_err();
        let missing =
            "the boot partition holds none of bcm2835-rpi-zero-w.dtb, bcm2708-rpi-zero-w.dtb";
        assert_eq!(error.to_string(), missing);
    }

    #[test]
    fn what_is_no_card_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        fs::write(&path, "not an image").unwrap();
        assert!(Card::prepare(&path, folder.path()).is_err());
        fs::write(&path, crate::base::mbr::Mbr::default().encode()).unwrap();
        let error = Card::prepare(&path, folder.path()).unwrap_err().to_string();
        assert!(error.ends_with("has no boot partition (FAT)"), "{error}");
    }
}
