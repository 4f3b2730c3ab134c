//! A machine that is made up: its sysfs, mounts, swap and udev's database lie over this one's, in a namespace
//! of mounts of their own. The device is one of this machine; only its number is looked at.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, symlink};
use std::path::PathBuf;

use crate::support::Project;

/// Bytes of a card of 32 GB, in sectors.
const SECTORS: u64 = 62_333_952;

pub(super) struct Machine {
    pub(super) project: Project,
    /// A block device of this machine, and its number.
    device: PathBuf,
    number: String,
    mounts: String,
    swaps: String,
}

/// A disk that is made up; partitions are named after it.
#[derive(Clone, Copy)]
pub(super) struct Made<'a> {
    pub(super) name: &'a str,
    /// Where it hangs, below `/sys/devices`.
    pub(super) at: &'a str,
    pub(super) files: &'a [(&'a str, &'a str)],
    /// The partitions, each with the kind and the label of its file system.
    pub(super) partitions: &'a [(&'a str, &'a str, &'a str)],
}

pub(super) const USB: Made = Made {
    name: "sdb",
    at: "pci0000:00/0000:00:14.0/usb2/2-1/host6/block",
    files: &[
        ("removable", "1"),
        ("device/vendor", "Generic "),
        ("device/model", "STORAGE DEVICE  "),
    ],
    partitions: &[("sdb1", "vfat", "bootfs"), ("sdb2", "ext4", "rootfs")],
};

pub(super) const SLOT: Made = Made {
    name: "mmcblk0",
    at: "platform/soc/fe340000.mmc/mmc_host/mmc0/mmc0:aaaa/block",
    files: &[("device/name", "SC32G"), ("device/type", "SD")],
    partitions: &[],
};

pub(super) const BUILT_IN: Made = Made {
    name: "nvme0n1",
    at: "pci0000:00/0000:00:1d.0/nvme/nvme0",
    files: &[("device/model", "Fast Disk 1000")],
    partitions: &[("nvme0n1p1", "vfat", "EFI"), ("nvme0n1p2", "ext4", "")],
};

impl Machine {
    pub(super) fn new() -> Self {
        let devices = fs::read_dir("/dev").unwrap().flatten().map(|entry| entry.path());
        let mut blocks = devices.filter(|path| {
            fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_block_device())
        });
        let device =
            blocks.next().expect("a block device in /dev, of which only the number is read");
        let number = fs::metadata(&device).unwrap().rdev();
        let number = format!("{}:{}", rustix::fs::major(number), rustix::fs::minor(number));
        let project = super::project();
        for folder in ["fake/sys/block", "fake/run/udev/data"] {
            fs::create_dir_all(project.path(folder)).unwrap();
        }
        project.write("device", "");
        let (mounts, swaps) = (String::new(), "Filename Type Size Used Priority\n".into());
        Self { project, device, number, mounts, swaps }
    }

    /// Adds a disk, with numbers that no device has; `numbers` are its own and its partitions', the first that is left out is the device's.
    pub(super) fn with(mut self, made: Made, numbers: &[&str]) -> Self {
        let own = self.number.clone();
        let mut numbers = numbers.iter().map(ToString::to_string).chain(std::iter::once(own));
        let folder = format!("fake/sys/devices/{}/{}", made.at, made.name);
        self.node(&folder, &numbers.next().unwrap(), made.files);
        for (index, (name, kind, label)) in made.partitions.iter().enumerate() {
            let number = numbers.next().unwrap_or_else(|| format!("2900:{index}"));
            self.node(&format!("{folder}/{name}"), &number, &[("partition", "1")]);
            let text = format!("S:disk/by-label/x\nE:ID_FS_TYPE={kind}\nE:ID_FS_LABEL={label}\n");
            self.project.write(&format!("fake/run/udev/data/b{number}"), &text);
        }
        let link = self.project.path(&format!("fake/sys/block/{}", made.name));
        symlink(format!("../devices/{}/{}", made.at, made.name), link).unwrap();
        self
    }

    fn node(&mut self, folder: &str, number: &str, files: &[(&str, &str)]) {
        let size = SECTORS.to_string();
        let usual = [("dev", number), ("size", &size), ("ro", "0"), ("removable", "0")];
        for (name, text) in usual.iter().chain(files) {
            self.project.write(&format!("{folder}/{name}"), &format!("{text}\n"));
        }
        fs::create_dir_all(self.project.path(&format!("{folder}/holders"))).unwrap();
    }

    pub(super) fn mounted(mut self, number: &str, source: &str, at: &str) -> Self {
        let line = format!("31 1 {number} / {at} rw,relatime shared:1 - ext4 {source} rw\n");
        self.mounts.push_str(&line);
        self
    }

    pub(super) fn swap(mut self, source: &str) -> Self {
        let line = format!("{source} partition 8388604 0 -2\n");
        self.swaps.push_str(&line);
        self
    }

    /// Says that a part of a disk is a part of something else.
    pub(super) fn held(self, folder: &str, holder: &str, name: &str) -> Self {
        let holder_folder = format!("fake/sys/block/{holder}");
        self.project.write(&format!("{holder_folder}/dm/name"), name);
        self.project.write(&format!("{holder_folder}/dev"), "2253:0\n");
        self.project.write(&format!("{holder_folder}/size"), "1000\n");
        symlink("/", self.project.path(&format!("fake/sys/devices/{folder}/holders/{holder}")))
            .unwrap();
        self
    }

    /// What a person sees who calls the program on this machine; the file `device` is the device.
    pub(super) fn imgbuild(&self, arguments: &[&str]) -> String {
        self.project.write("fake/mountinfo", &self.mounts);
        self.project.write("fake/swaps", &self.swaps);
        let script = format!(
            "mount --bind {} device; mount --bind fake/run /run; mount --bind fake/swaps /proc/swaps; \
             mount --bind fake/sys /sys; mount --bind fake/mountinfo /proc/$$/mountinfo; exec \"$@\"",
            self.device.display()
        );
        self.project.seen(&mut self.project.command_in_namespace(&script, arguments))
    }
}
