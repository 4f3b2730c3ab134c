use std::io::Seek;

use super::*;

#[test]
fn what_is_no_image_is_refused() {
    let image = Image::new();
    image.poke(510, &[0, 0]);
    assert_eq!(image.refusal(), "no partition table: the first sector does not end in 55 AA");
    std::fs::write(image.path(), "version: 1\n").unwrap();
    assert_eq!(image.refusal(), "shorter than one sector of 512 bytes: this is not a disk image");
    std::fs::write(image.path(), b"\xFD7zXZ\0....").unwrap();
    let wanted = "it is compressed (xz): it can be a base, and is no card as it is";
    assert_eq!(image.refusal(), wanted);
    std::fs::remove_file(image.path()).unwrap();
    assert_eq!(image.refusal(), "there is no such file");
    std::fs::create_dir(image.path()).unwrap();
    assert_eq!(image.refusal(), "it is a folder");
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
    let wanted =
        "no partition of it is FAT, from which a Raspberry Pi starts; it has disk id 12345678;";
    assert!(image.refusal().starts_with(wanted), "{}", image.refusal());
    table.partitions[0].kind = 0x0c;
    table.partitions[1].kind = 0x07;
    image.poke(0, &table.encode());
    let wanted = "no partition behind the boot partition is Linux's; it has disk id 12345678;";
    assert!(image.refusal().starts_with(wanted), "{}", image.refusal());
    table.partitions[1] = Partition::default();
    image.poke(0, &table.encode());
    assert!(image.refusal().starts_with(wanted), "{}", image.refusal());
}

#[test]
fn an_image_with_two_systems_is_refused() {
    let image = Image::new();
    let mut table = Mbr::read(&mut File::open(image.path()).unwrap()).unwrap();
    let [boot, root, ..] = table.partitions;
    table.partitions = [boot, Partition { kind: 0x0b, sectors: 1, ..root }, root, boot];
    table.partitions[2].start_sector += 1;
    table.partitions[2].sectors -= 1;
    table.partitions[3] = Partition::default();
    image.poke(0, &table.encode());
    let wanted =
        "partitions 1 and 2 are both FAT: an image with two systems on it cannot be a base";
    assert_eq!(image.refusal(), wanted);
}

#[test]
fn partitions_that_lie_across_each_other_are_refused() {
    let image = Image::new();
    let mut table = Mbr::read(&mut File::open(image.path()).unwrap()).unwrap();
    table.partitions[0].sectors = ROOT_START - BOOT_START + 1;
    image.poke(0, &table.encode());
    assert_eq!(image.refusal(), "partitions 1 and 2 lie across each other");
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
    assert_eq!(image.refusal(), "the root partition holds no ext4 file system");
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
