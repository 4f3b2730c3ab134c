//! A base with a GUID partition table, judged by sfdisk and sgdisk.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

use insta::assert_snapshot;

use crate::support::{Card, PROFILE, Project, flashed_onto_a_used_card, run};

/// The small base's partitions, in a GPT.
const TABLE: &str = "label: gpt\nlabel-id: 01234567-89AB-CDEF-0123-456789ABCDEF\n\
    start=16384, size=69632, type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7, uuid=AAAAAAAA-0000-4000-8000-000000000001\n\
    start=86016, size=49152, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, uuid=AAAAAAAA-0000-4000-8000-000000000002\n";

/// A project whose base has a GPT, and what a Pi 4 needs to start.
fn project() -> Project {
    let project = Project::with(&PROFILE.replace("model: pi-3", "model: pi-4"));
    let base = project.own_base();
    let file = fs::File::options().write(true).open(&base).unwrap();
    // room for the second table, and a little more
    file.set_len(file.metadata().unwrap().len() + (1 << 20)).unwrap();
    label(&project, &base);
    let boot = format!("{}@@{}", base.display(), 16_384 * 512);
    for name in ["start4.elf", "fixup4.dat", "bcm2711-rpi-4-b.dtb"] {
        let to = format!("::{name}");
        run("mcopy", &["-i".as_ref(), boot.as_ref(), &project.path("kitchen.yaml"), to.as_ref()]);
    }
    project
}

fn label(project: &Project, image: &Path) {
    project.write("table", TABLE);
    let script = format!("sfdisk --quiet --wipe never '{}' < table", image.display());
    let script = format!("cd '{}'; {script}; rm table", project.path("").display());
    run("sh", &["-euc".as_ref(), script.as_ref()]);
}

/// Both programs find nothing to complain of.
fn judge(image: &Path) {
    let said = run("sgdisk", &["--verify".as_ref(), image]);
    assert!(said.contains("No problems found."), "{said}");
    let said = run("sfdisk", &["--verify".as_ref(), image]);
    assert!(said.contains("No errors detected."), "{said}");
}

#[test]
fn a_card_on_a_gpt_is_built_and_holds_its_profile() {
    let project = project();
    let card = project.build();
    judge(card.image());
    card.fsck();
    assert!(card.read("/etc/imgbuild/profile.yaml").is_some());
    let table = |name: &str| run("sfdisk", &["--dump".as_ref(), &project.path(name)]);
    assert_eq!(table("kitchen.img").replace("kitchen", "base"), table("base.img"));
    let seen = project.imgbuild(&["verify", "kitchen.img", "kitchen.yaml"]);
    assert!(seen.starts_with("exit: 0\n"), "{seen}");
    let seen = project.imgbuild(&["diff", "base.img", "kitchen.img"]);
    assert!(seen.starts_with("exit: 1\n") && !seen.contains("image changed"), "{seen}");
    assert_snapshot!(project.imgbuild(&["base", "inspect", "base.img"]));
    let output = project.command(&["base", "inspect", "base.img", "--format=json"]).output();
    let found: serde_json::Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    assert_eq!(found["root_part_uuid"], "aaaaaaaa-0000-4000-8000-000000000002");
}

/// Of a GPT, the disk's name does not tell what its partitions are called: the kernel would look for its root in vain.
#[test]
fn a_partition_that_is_called_otherwise_is_a_difference() {
    let project = project();
    fs::copy(project.path("base.img"), project.path("other.img")).unwrap();
    let id = "--partition-guid=2:BBBBBBBB-0000-4000-8000-000000000002";
    run("sgdisk", &[id.as_ref(), project.path("other.img").as_path()]);
    assert_eq!(
        project.imgbuild(&["diff", "base.img", "other.img"]),
        "exit: 1\nimage changed root partition's PARTUUID: \
         aaaaaaaa-0000-4000-8000-000000000002 → bbbbbbbb-0000-4000-8000-000000000002\n"
    );
}

/// A used card that gets the mapped blocks alone: the empty entries of the table count as well.
#[test]
fn a_block_map_of_a_gpt_holds_both_of_its_tables() {
    let project = project();
    let seen = project.imgbuild(&["kitchen.yaml"]);
    assert!(seen.starts_with("exit: 0\n"), "{seen}");
    flashed_onto_a_used_card(&project.path("kitchen.img"), &project.path("card"));
    let card = Card::new(project.path("card"));
    judge(card.image());
    card.fsck();
}

#[test]
fn a_root_partition_in_a_gpt_grows_for_a_large_overlay() {
    let project = project();
    let profile = fs::read_to_string(project.path("kitchen.yaml")).unwrap();
    project.write("kitchen.yaml", &format!("{profile}overlays: [./site]\n"));
    project.write("site/rootfs/opt/large", &"x".repeat(40 << 20));
    let card = project.build();
    judge(card.image());
    card.fsck();
    assert_eq!(card.read("/opt/large").unwrap().len(), 40 << 20);
    let dump = run("sfdisk", &["--dump".as_ref(), card.image()]);
    assert!(dump.contains("uuid=AAAAAAAA-0000-4000-8000-000000000002"), "{dump}");
}

#[test]
fn a_gpt_grows_to_its_card_as_the_device_does_it() {
    let project = project();
    let card = project.build();
    let file = fs::File::options().write(true).open(card.image()).unwrap();
    file.set_len(300 << 20).unwrap();
    let script = include_str!("../../overlays/system/rootfs/usr/lib/imgbuild/grow-root");
    let line = script.lines().find(|line| line.contains("| sfdisk")).unwrap();
    let line = line.replace("/dev/$disk", "$disk");
    let script = format!("number=2 disk='{}'; {line}", card.image().display());
    run("sh", &["-euc".as_ref(), script.as_ref()]);
    judge(card.image());
    let dump = run("sfdisk", &["--dump".as_ref(), card.image()]);
    let words = dump.split_whitespace().collect::<Vec<_>>().join(" ");
    // up to the second table, which has moved to the end
    assert!(
        words.contains(&format!("start= 86016, size= {},", (300 << 11) - 33 - 86_016)),
        "{dump}"
    );
    assert!(words.contains("uuid=AAAAAAAA-0000-4000-8000-000000000002"), "{dump}");
    card.fsck();
}

#[test]
fn a_board_whose_boot_rom_reads_no_gpt_wants_a_hybrid() {
    let project = project();
    let profile = PROFILE.replace("{file: base.img}", "{file: base.img} # GPT");
    project.write("kitchen.yaml", &profile);
    assert_snapshot!(project.imgbuild(&["kitchen.yaml"]));
    let sgdisk = Command::new("sgdisk").arg("--hybrid=1").arg(project.path("base.img")).output();
    assert!(sgdisk.unwrap().status.success());
    // FAT, as boot ROMs want it; sgdisk calls it NTFS
    let base = fs::File::options().write(true).open(project.path("base.img")).unwrap();
    base.write_all_at(&[0x0c], 446 + 16 + 4).unwrap();
    let card = project.build();
    card.fsck();
    let said = run("gdisk", &["-l".as_ref(), card.image()]);
    assert!(said.contains("MBR: hybrid"), "{said}");
    judge(card.image());
}

#[test]
fn a_table_that_only_the_end_has_is_looked_at_and_not_built_on() {
    let project = project();
    let base = project.path("base.img");
    let file = fs::File::options().write(true).open(&base).unwrap();
    file.write_all_at(&[0x77; 8], 512 + 56).unwrap();
    assert!(project.imgbuild(&["inspect", "base.img"]).starts_with("exit: 0\n"));
    assert_snapshot!(project.imgbuild(&["kitchen.yaml"]));
    // what it advises helps
    let script = format!(
        "cd '{}'; sfdisk --quiet --dump base.img > table; sfdisk --quiet base.img < table",
        project.path("").display()
    );
    run("sh", &["-euc".as_ref(), script.as_ref()]);
    judge(project.build().image());
}
