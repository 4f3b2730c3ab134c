//! Opening images, with small ones made by the reference tools. No root, no mount.

use std::fs::OpenOptions;
use std::io::Seek;
use std::os::unix::fs::FileExt;

use imgbuild_schema::profile::Architecture;
use tempfile::TempDir;

use super::tree::Kind;
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
        let context = format!("reading the base {}: ", self.path().display());
        error.strip_prefix(&context).unwrap_or_else(|| panic!("no context in {error}")).to_owned()
    }
}

#[test]
fn the_facts_of_an_image_are_read() {
    let image = Image::new();
    let base = Base::open(&image.path()).unwrap();
    let facts = &base.facts;
    assert_eq!(facts.root_part_uuid, "12345678-02");
    assert_eq!((facts.release.id.as_str(), facts.release.codename.as_str()), ("debian", "trixie"));
    assert_eq!(facts.architecture, Architecture::Arm64);
    assert_eq!(facts.boot_mount, "/boot/firmware");
    assert!(facts.network.networkd && facts.network.wpa_supplicant);
    assert!(!facts.network.network_manager && !facts.cloud_init);
    assert_eq!(facts.root.label, "rootfs");
    assert!(facts.root.free_bytes() > 4 << 20 && facts.root.free_inodes > 100);
    assert!(facts.date() > 1_700_000_000);
    assert_eq!(facts.firmware.boards, ["pi-3"]);
    assert_eq!(facts.firmware.crippled[0].0, "pi-5");
    assert_eq!(facts.firmware.kernels, ["vmlinuz-6.12-arm64"]);
    assert_eq!(facts.firmware.overlays, ["a-rather-long-name"]);
    assert_eq!(base.packages().unwrap()[0].name, "dpkg");
}

#[test]
fn a_pi_5_counts_when_its_kernel_knows_its_pins() {
    let image = Image::new();
    image.copy_in("bcm2712-rpi-5-b.dtb", b"....raspberrypi,rp1-gpio....");
    assert_eq!(Base::open(&image.path()).unwrap().facts.firmware.boards, ["pi-3", "pi-5"]);
}

#[test]
fn the_root_partition_is_read() {
    let image = Image::new();
    let root = Base::open(&image.path()).unwrap().root().unwrap();
    assert!(root.read_text("etc/os-release").unwrap().unwrap().contains("ID=debian"));
    assert_eq!(root.read("/etc/os-release/x").unwrap(), None);
    assert_eq!(root.read("/nothing").unwrap(), None);
    assert_eq!(root.list("/etc").unwrap(), ["fstab", "os-release"]);
    assert_eq!(root.metadata("/sbin").unwrap().unwrap().kind, Kind::Link("usr/sbin".into()));
    assert_eq!(root.resolve("/sbin/wpa_supplicant").unwrap().unwrap(), "/usr/sbin/wpa_supplicant");
    let program = root.metadata("/usr/bin/dpkg").unwrap().unwrap();
    assert_eq!((program.kind, program.size), (Kind::File, 4096));
}

#[test]
fn the_boot_partition_is_read() {
    let image = Image::new();
    let boot = Base::open(&image.path()).unwrap().boot().unwrap();
    assert_eq!(boot.label(), "bootfs");
    let kernel = boot.read("vmlinuz-6.12-arm64").unwrap().unwrap();
    assert!(
        kernel.len() == 700_000
            && (0..700_000_u32).all(|at| kernel[at as usize] == at.to_le_bytes()[1])
    );
    assert_eq!(boot.list("/overlays").unwrap(), ["a-rather-long-name.dtbo"]);
    assert_eq!(boot.read_text("OVERLAYS/A-RATHER-LONG-NAME.DTBO").unwrap().unwrap(), "overlay");
    assert_eq!(boot.metadata("/overlays").unwrap().unwrap().kind, Kind::Folder);
    assert_eq!(boot.read("overlays").unwrap(), None);
    assert_eq!(boot.read("bootcode.bin/x").unwrap(), None);
    assert!(boot.exists("/").unwrap() && !boot.exists("cmdline.txt").unwrap());
}

#[test]
fn what_is_no_image_is_refused() {
    let image = Image::new();
    image.poke(510, &[0, 0]);
    assert_eq!(image.refusal(), "no partition table: the first sector does not end in 55 AA");
    std::fs::write(image.path(), "version: 1\n").unwrap();
    assert_eq!(image.refusal(), "shorter than one sector of 512 bytes: this is not a disk image");
    std::fs::write(image.path(), b"\xFD7zXZ\0....").unwrap();
    let wanted = format!(
        "compressed bases are not read yet; decompress it first with `xz -dk {}`",
        image.path().display()
    );
    assert_eq!(image.refusal(), wanted);
    std::fs::remove_file(image.path()).unwrap();
    assert_eq!(image.refusal(), "opening it: No such file or directory (os error 2)");
    std::fs::create_dir(image.path()).unwrap();
    assert_eq!(image.refusal(), "it is not a file");
}

#[test]
fn an_image_that_was_cut_short_is_refused() {
    let image = Image::new();
    let length = u64::from(ROOT_START + ROOT_SECTORS) * 512;
    OpenOptions::new().write(true).open(image.path()).unwrap().set_len(length - 512).unwrap();
    let wanted = format!(
        "partition 2 ends at {length}, beyond the file's {} bytes: it was cut short",
        length - 512
    );
    assert_eq!(image.refusal(), wanted);
}

#[test]
fn other_partitions_than_boot_and_root_are_refused() {
    let image = Image::new();
    let mut table = Mbr::read(&mut File::open(image.path()).unwrap()).unwrap();
    table.partitions[0].kind = 0x83;
    image.poke(0, &table.encode());
    assert_eq!(image.refusal(), "the first partition is not FAT: its kind is 0x83");
    table.partitions[0].kind = 0x0c;
    table.partitions[1].kind = 0x07;
    image.poke(0, &table.encode());
    assert_eq!(image.refusal(), "the second partition is not Linux: its kind is 0x07");
    table.partitions[1] = Partition::default();
    image.poke(0, &table.encode());
    assert!(
        image
            .refusal()
            .starts_with("a boot and a root partition are wanted; it has disk id 12345678;")
    );
}

#[test]
fn a_root_partition_that_is_not_ready_is_refused() {
    let image = Image::new();
    let superblock = u64::from(ROOT_START) * 512 + 1024;
    let mut file = File::open(image.path()).unwrap();
    file.seek(std::io::SeekFrom::Start(superblock + 0x60)).unwrap();
    let mut features = [0];
    file.read_exact(&mut features).unwrap();
    image.poke(superblock + 0x60, &[features[0] | 0x04]);
    assert!(image.refusal().starts_with("the base's journal has not been replayed"));
    image.poke(superblock + 0x38, &[0, 0]);
    assert_eq!(image.refusal(), "the second partition holds no ext4 file system");
}

#[test]
fn a_boot_partition_without_a_file_system_is_refused() {
    let image = Image::new();
    image.poke(u64::from(BOOT_START) * 512, &[0; 512]);
    assert!(image.refusal().starts_with("reading the boot file system: "), "{}", image.refusal());
}

#[test]
fn a_root_partition_without_a_system_is_refused() {
    let image = Image::new();
    let refusal_without = |path: &str| {
        std::fs::remove_file(image.folder.path().join("root").join(path)).unwrap();
        image.make_root();
        image.refusal()
    };
    assert!(
        refusal_without("usr/bin/dpkg")
            .starts_with("the root partition holds neither dpkg nor a shell")
    );
    assert!(
        refusal_without("etc/os-release").starts_with("the root partition has no /etc/os-release")
    );
}

#[test]
fn the_architecture_comes_from_a_program() {
    let image = Image::new();
    let mut program = b"\x7FELF".to_vec();
    program.resize(64, 0);
    program[18] = 40;
    let mut architecture = |flags: u8| {
        program[37] = flags;
        image.write("usr/bin/dpkg", &program);
        image.make_root();
        Base::open(&image.path()).unwrap().facts.architecture
    };
    assert_eq!(architecture(0x04), Architecture::Armhf);
    assert_eq!(architecture(0x02), Architecture::Armel);
    image.write("etc/os-release", b"ID=raspbian\n");
    assert_eq!(architecture(0x04), Architecture::Armel);
    image.write("usr/bin/dpkg", b"#!/bin/sh");
    image.make_root();
    assert_eq!(image.refusal(), "looking at /usr/bin/dpkg: it is no program: it has no ELF header");
}
