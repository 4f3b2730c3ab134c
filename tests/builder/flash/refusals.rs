//! Which disks are offered, and which are refused.

use insta::assert_snapshot;

use super::machine::{BUILT_IN, Machine, Made, SLOT, USB};

/// The system's own disk, with all that is on it.
fn machine() -> Machine {
    Machine::new()
        .with(BUILT_IN, &["2259:0", "2259:1", "2259:2"])
        .mounted("2259:2", "/dev/nvme0n1p2", "/")
        .mounted("2259:1", "/dev/nvme0n1p1", "/boot/efi")
}

#[test]
fn cards_are_listed_with_what_is_on_them() {
    let mounted = machine()
        .with(USB, &["2008:16", "2008:17", "2008:18"])
        .with(SLOT, &["2179:0"])
        .mounted("2008:17", "/dev/sdb1", r"/media/pi/my\040card");
    assert_snapshot!(mounted.imgbuild(&["flash", "--list"]), @r"
    exit: 0
    /dev/mmcblk0  31.9 GB, SC32G                   empty, or of an unknown kind
    /dev/sdb      31.9 GB, Generic STORAGE DEVICE  bootfs (vfat), rootfs (ext4); sdb1 is mounted at /media/pi/my card
    ");
    assert_snapshot!(mounted.imgbuild(&["flash", "card.img"]), @r"
    exit: 0
    /dev/mmcblk0  31.9 GB, SC32G                   empty, or of an unknown kind
    /dev/sdb      31.9 GB, Generic STORAGE DEVICE  bootfs (vfat), rootfs (ext4); sdb1 is mounted at /media/pi/my card
    next: imgbuild flash card.img /dev/mmcblk0
    ");
}

#[test]
fn what_is_no_card_is_not_listed() {
    let odd = |name, files| Made { name, files, partitions: &[], ..USB };
    let machine = machine()
        .with(odd("sdc", &[("removable", "1"), ("size", "0")]), &["2008:32"])
        .with(odd("sr0", &[("removable", "1")]), &["2011:0"])
        .with(Made { at: "virtual/block", ..odd("loop0", &[]) }, &["2007:99"])
        .with(Made { name: "mmcblk1boot0", partitions: &[], ..SLOT }, &["2179:8"]);
    assert_snapshot!(machine.imgbuild(&["flash", "--list"]), @r"
    exit: 0
    no card is in this machine: put one into a reader or a slot
    ");
}

/// What is said to whoever wants to write to `device`.
fn refused(machine: &Machine) -> String {
    let seen = machine.imgbuild(&["flash", "--yes", "card.img", "device"]);
    assert!(seen.starts_with("exit: 1\n"), "{seen}");
    seen.replace("exit: 1\nerror: ", "")
}

#[test]
fn the_disk_of_this_system_is_refused_whatever_was_said() {
    let machine = Machine::new()
        .with(BUILT_IN, &[])
        .mounted("2259:2", "/dev/nvme0n1p2", "/")
        .mounted("2259:1", "/dev/nvme0n1p1", "/boot/efi");
    let expected = "/dev/nvme0n1 is a disk of this system, which is never written: nvme0n1p1 is mounted at /boot/efi, nvme0n1p2 is mounted at /\n";
    assert_eq!(refused(&machine), expected);
    let told = machine.imgbuild(&["flash", "--yes", "--not-a-card", "card.img", "device"]);
    assert_eq!(told, format!("exit: 1\nerror: {expected}"));
}

#[test]
fn a_card_from_which_this_system_runs_is_one_of_its_disks() {
    let pi = Made {
        partitions: &[("mmcblk0p1", "vfat", "bootfs"), ("mmcblk0p2", "ext4", "rootfs")],
        ..SLOT
    };
    let machine = Machine::new().with(pi, &[]).mounted("2179:2", "/dev/mmcblk0p2", "/").mounted(
        "2179:1",
        "/dev/mmcblk0p1",
        "/boot/firmware",
    );
    assert_snapshot!(refused(&machine), @"/dev/mmcblk0 is a disk of this system, which is never written: mmcblk0p1 is mounted at /boot/firmware, mmcblk0p2 is mounted at /");
    assert_snapshot!(machine.imgbuild(&["flash", "--list"]), @r"
    exit: 0
    no card is in this machine: put one into a reader or a slot
    ");
}

#[test]
fn swap_and_what_holds_a_part_of_a_disk_make_it_one_of_this_system() {
    let swap = Machine::new().with(USB, &[]).swap("/dev/sdb2");
    assert_snapshot!(refused(&swap), @"/dev/sdb is a disk of this system, which is never written: sdb2 is swap");
    let lvm = Machine::new()
        .with(USB, &[])
        .held(&format!("{}/sdb/sdb2", USB.at), "dm-0", "vault-home")
        .mounted("2253:0", "/dev/mapper/vault-home", "/home");
    assert_snapshot!(refused(&lvm), @"/dev/sdb is a disk of this system, which is never written: sdb2 is a part of vault-home, dm-0 is mounted at /home");
    // btrfs has a number of its own
    let btrfs = Machine::new().with(USB, &[]).mounted("0:45", "/dev/sdb2", "/");
    assert_snapshot!(refused(&btrfs), @"/dev/sdb is a disk of this system, which is never written: sdb2 is mounted at /");
}

#[test]
fn a_mounted_card_is_refused_and_how_to_unmount_it_is_said() {
    let machine = Machine::new()
        .with(USB, &[])
        .mounted("0:0", "/dev/sdb1", "/media/pi/bootfs")
        .mounted("0:0", "/dev/sdb2", "/media/pi/rootfs")
        .mounted("0:0", "/dev/sdb2", "/mnt");
    assert_snapshot!(refused(&machine), @"/dev/sdb is in use: sdb1 is mounted at /media/pi/bootfs, sdb2 is mounted at /media/pi/rootfs, sdb2 is mounted at /mnt; first `umount /dev/sdb1 /dev/sdb2`");
}

#[test]
fn a_partition_is_refused_and_its_disk_named() {
    let machine = Machine::new().with(USB, &["2008:16"]);
    assert_snapshot!(refused(&machine), @"device is a partition, and an image has its own: name the whole disk, /dev/sdb");
}

#[test]
fn a_card_that_cannot_be_written_is_refused() {
    let card = |files| Machine::new().with(Made { files, ..USB }, &[]);
    assert_snapshot!(refused(&card(&[("ro", "1")])), @"/dev/sdb is read-only: move the slide on the card, or on its adapter, away from LOCK; some readers protect every card");
    assert_snapshot!(refused(&card(&[("size", "0")])), @"there is no card in /dev/sdb");
    assert_snapshot!(refused(&card(&[("size", "131072")])), @"/dev/sdb is too small for the image, by 2.0 MB: it has 67.1 MB (67108864 bytes), the image 69.2 MB (69206016 bytes)");
}

#[test]
fn a_disk_that_is_no_card_is_refused_unless_one_says_so() {
    let machine = Machine::new().with(BUILT_IN, &[]);
    assert_snapshot!(refused(&machine), @"/dev/nvme0n1 does not look like a card (31.9 GB, Fast Disk 1000): it cannot be taken out, and is neither in a slot for cards nor at USB; --not-a-card writes to it nevertheless");
    // then it goes on as with a card: it asks
    let told = machine.imgbuild(&["flash", "--not-a-card", "card.img", "device"]);
    assert!(!told.contains("does not look like a card"), "{told}");
    assert!(!told.starts_with("exit: 0\n"), "{told}");
}

#[test]
fn what_is_no_disk_at_all_is_wrong_usage() {
    let machine = Machine::new().with(USB, &["2008:16", "2008:17", "2008:18"]);
    let seen = |device| machine.imgbuild(&["flash", "--yes", "card.img", device]);
    assert_snapshot!(seen("sdb"), @r"
    exit: 2
    error: there is no sdb; did you mean /dev/sdb?
    ");
    assert_snapshot!(seen("/dev/no-such-disk"), @r"
    exit: 2
    error: there is no /dev/no-such-disk
    ");
    assert_snapshot!(seen("fake"), @r"
    exit: 2
    error: fake is no disk
    ");
    assert_snapshot!(seen("kitchen.yaml"), @r"
    exit: 2
    error: kitchen.yaml is a file; --file writes to a file that stands for a card
    ");
    assert!(seen("device").contains("the system knows no disk with the number"));
}
