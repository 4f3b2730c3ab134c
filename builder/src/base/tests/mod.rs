//! Opening images, with small ones made by the reference tools. No root, no mount.

mod gpt;
mod reading;
mod refusing;
mod table;

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::FileExt;

use tempfile::TempDir;

use super::mbr::{Mbr, Partition};
use super::*;
use crate::tool::Tool;

const BOOT_START: u32 = 2048;
const BOOT_SECTORS: u32 = 69_632;
const ROOT_START: u32 = 73_728;
const ROOT_SECTORS: u32 = 32_768;

/// A small image that has what a base has.
struct Image {
    folder: TempDir,
}

impl Image {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let image = Self { folder };
        image.fill_root();
        let file = File::create_new(image.path()).unwrap();
        file.set_len(u64::from(ROOT_START + ROOT_SECTORS) * 512).unwrap();
        let boot = Partition {
            bootable: false,
            kind: 0x0c,
            start_sector: BOOT_START,
            sectors: BOOT_SECTORS,
        };
        let root = Partition {
            bootable: false,
            kind: 0x83,
            start_sector: ROOT_START,
            sectors: ROOT_SECTORS,
        };
        let table = Mbr {
            disk_id: 0x1234_5678,
            partitions: [boot, root, Partition::default(), Partition::default()],
        };
        file.write_all_at(&table.encode(), 0).unwrap();
        image.make_boot();
        image.make_root();
        image
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("card.img")
    }

    fn write(&self, path: &str, content: &[u8]) {
        let path = self.folder.path().join("root").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn fill_root(&self) {
        self.write(
            "etc/os-release",
            b"PRETTY_NAME=\"Debian 13\"\nID=debian\nVERSION_CODENAME=trixie\n",
        );
        self.write(
            "etc/fstab",
            b"# PARTUUID=x /boot vfat\nPARTUUID=12345678-01 /boot/firmware vfat defaults\n",
        );
        let mut program = b"\x7FELF".to_vec();
        program.resize(4096, 0);
        program[18] = 183;
        self.write("usr/bin/dpkg", &program);
        self.write("usr/lib/systemd/systemd-networkd", b"");
        self.write("usr/sbin/wpa_supplicant", b"");
        let status =
            b"Package: dpkg\nStatus: install ok installed\nArchitecture: arm64\nVersion: 1.22\n";
        self.write("var/lib/dpkg/status", status);
        std::os::unix::fs::symlink("usr/sbin", self.folder.path().join("root/sbin")).unwrap();
    }

    fn make_boot(&self) {
        let kibibytes = (BOOT_SECTORS / 2).to_string();
        Tool::new("mkfs.vfat", "making a boot partition")
            .args(["-F", "32", "-s", "1", "-n", "bootfs", "--offset"])
            .arg(BOOT_START.to_string())
            .arg(self.path())
            .arg(kibibytes)
            .run()
            .unwrap();
        self.mtools("mmd", &["::overlays"]);
        let kernel: Vec<u8> = (0..700_000_u32).map(|at| at.to_le_bytes()[1]).collect();
        self.copy_in("vmlinuz-6.12-arm64", &kernel);
        for name in
            ["bootcode.bin", "start.elf", "fixup.dat", "bcm2837-rpi-3-b.dtb", "bcm2712-rpi-5-b.dtb"]
        {
            self.copy_in(name, name.as_bytes());
        }
        self.copy_in("overlays/a-rather-long-name.dtbo", b"overlay");
    }

    fn mtools(&self, program: &'static str, arguments: &[&str]) {
        let image = format!("{}@@{}", self.path().display(), u64::from(BOOT_START) * 512);
        Tool::new(program, "filling a boot partition")
            .arg("-i")
            .arg(image)
            .args(arguments)
            .run()
            .unwrap();
    }

    fn copy_in(&self, name: &str, content: &[u8]) {
        let source = self.folder.path().join("file");
        std::fs::write(&source, content).unwrap();
        self.mtools("mcopy", &["-o", source.to_str().unwrap(), &format!("::{name}")]);
    }

    fn make_root(&self) {
        let offset = format!("offset={}", u64::from(ROOT_START) * 512);
        Tool::new("mke2fs", "making a root partition")
            .args([
                "-q",
                "-F",
                "-t",
                "ext4",
                "-L",
                "rootfs",
                "-O",
                "metadata_csum",
                "-E",
                &offset,
                "-d",
            ])
            .arg(self.folder.path().join("root"))
            .arg(self.path())
            .arg(format!("{}k", ROOT_SECTORS / 2))
            .run()
            .unwrap();
    }

    fn poke(&self, offset: u64, bytes: &[u8]) {
        OpenOptions::new()
            .write(true)
            .open(self.path())
            .unwrap()
            .write_all_at(bytes, offset)
            .unwrap();
    }

    fn refusal(&self) -> String {
        let error = format!("{:#}", Base::open(&self.path()).unwrap_err());
        let context = format!("reading the image {}: ", self.path().display());
        error.strip_prefix(&context).unwrap_or_else(|| panic!("no context in {error}")).to_owned()
    }
}
