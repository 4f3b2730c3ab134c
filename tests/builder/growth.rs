//! Overlays that are larger than the base has room for: the root file system grows on the card, and its partition with
//! it; or it cannot, and the reason is told with the numbers.

use std::fs;
use std::os::unix::fs::FileExt;

use insta::assert_snapshot;

use crate::support::{PROFILE, Project, ROOT, run};

const LARGE: usize = 40 << 20;

fn project() -> Project {
    let project = Project::with(&format!("{PROFILE}overlays: [./site]\n"));
    fs::create_dir_all(project.path("site")).unwrap();
    project
}

fn with_large_file() -> Project {
    let project = project();
    project.write("site/rootfs/opt/large", &"x".repeat(LARGE));
    project
}

/// Where the root partition of an image begins and how long it is, in sectors, as sfdisk has it.
fn root_partition(project: &Project, image: &str) -> (u32, u32) {
    let dump = run("sfdisk", &["--dump".as_ref(), &project.path(image)]);
    let line = dump.lines().filter(|line| line.contains("start=")).nth(1).unwrap().to_owned();
    let number = |name: &str| -> u32 {
        line.split(name).nth(1).unwrap().split(',').next().unwrap().trim().parse().unwrap()
    };
    (number("start="), number("size="))
}

#[test]
fn the_root_file_system_grows_for_what_is_larger_than_it() {
    let project = with_large_file();
    let said = project.imgbuild(&["plan", "kitchen.yaml"]);
    assert!(said.contains("\nthe root file system grows by 22 MiB, "), "{said:.2000}");
    let card = project.build();
    card.fsck();
    assert_eq!(card.read("/opt/large").unwrap().len(), LARGE);
    let (start, length) = root_partition(&project, "kitchen.img");
    assert_eq!(start, ROOT.0);
    assert_eq!((start + length) % 8192, 0);
    let image = fs::metadata(project.path("kitchen.img")).unwrap();
    assert_eq!(image.len(), u64::from(start + length) * 512);
    // nothing but the length of the partition differs in front of the boot partition
    let (base, card) = (fs::read(project.path("base.img")).unwrap(), card.bytes());
    let differs: Vec<usize> = (0..16_384 * 512).filter(|at| base[*at] != card[*at]).collect();
    assert!(differs.iter().all(|at| (462..478).contains(at)), "{differs:?}");
    let verified = project.imgbuild(&["verify", "kitchen.img", "kitchen.yaml"]);
    assert!(verified.starts_with("exit: 0\n"), "{verified}");
}

#[test]
fn it_grows_in_the_same_way_every_time() {
    let project = with_large_file();
    let first = project.build().bytes();
    // what a clock leaves in a superblock would be seconds of another number
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    assert!(first == project.build().bytes());
}

#[test]
fn it_grows_for_more_files_than_it_has_room_for() {
    let project = project();
    for number in 0..9_000 {
        project.write(&format!("site/rootfs/opt/{}/{number}", number % 10), "");
    }
    let card = project.build();
    card.fsck();
    assert!(card.stat("/opt/9/8999").is_some());
}

#[test]
fn the_rest_of_its_partition_is_taken_first() {
    let project = with_large_file();
    let base = project.own_base();
    let longer = u64::from(ROOT.0) * 512 + (200 << 20);
    fs::OpenOptions::new().write(true).open(&base).unwrap().set_len(longer).unwrap();
    run(
        "sh",
        &["-euc".as_ref(), "echo ', +' | sfdisk --quiet -N 2 \"$0\"".as_ref(), base.as_path()],
    );
    let partition = root_partition(&project, "base.img");
    let card = project.build();
    card.fsck();
    assert_eq!(card.read("/opt/large").unwrap().len(), LARGE);
    assert_eq!(root_partition(&project, "kitchen.img"), partition);
    assert_eq!(fs::metadata(project.path("kitchen.img")).unwrap().len(), longer);
}

/// Also where another partition lies behind: its bytes stay.
#[test]
fn what_lies_behind_a_partition_with_room_stays() {
    let project = with_large_file();
    let base = project.own_base();
    let behind = u64::from(ROOT.0) * 512 + (100 << 20);
    let file = fs::OpenOptions::new().write(true).open(&base).unwrap();
    file.set_len(behind + (8 << 20)).unwrap();
    file.write_all_at(b"somebody's own", behind + 4096).unwrap();
    let table = "sfdisk --quiet --append \"$0\"";
    let script = format!("echo ', 100M' | sfdisk --quiet -N 2 \"$0\"; echo ', +, 83' | {table}");
    run("sh", &["-euc".as_ref(), script.as_ref(), base.as_path()]);
    let card = project.build();
    card.fsck();
    assert!(card.bytes()[usize::try_from(behind).unwrap() + 4096..].starts_with(b"somebody's own"));
}

#[test]
fn with_another_partition_behind_it_it_cannot_grow() {
    let project = with_large_file();
    let base = project.own_base();
    let longer = u64::from(ROOT.0 + ROOT.1) * 512 + (16 << 20);
    fs::OpenOptions::new().write(true).open(&base).unwrap().set_len(longer).unwrap();
    run(
        "sh",
        &[
            "-euc".as_ref(),
            "echo ', 8M, 83' | sfdisk --quiet --append \"$0\"".as_ref(),
            base.as_path(),
        ],
    );
    assert_snapshot!(project.imgbuild(&["kitchen.yaml"]));
    assert_eq!(project.left_over(), ["site"]);
}
