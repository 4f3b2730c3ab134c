use imgbuild_schema::profile::Architecture;

use super::*;
use crate::base::tree::Kind;

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
