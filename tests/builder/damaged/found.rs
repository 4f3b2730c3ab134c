//! What damage at random has found, once more and on purpose.

use std::fs::File;
use std::os::unix::fs::FileExt;

use insta::assert_snapshot;

use crate::support::{Project, run};

/// Where the small base's partitions begin.
const BOOT: u64 = 16_384 * 512;
const ROOT: u64 = 86_016 * 512;

fn with_field(path: &str, field: &str, value: &str) -> Project {
    let project = Project::new();
    let image = format!("{}?offset={ROOT}", project.own_base().display());
    let request = format!("sif {path} {field} {value}");
    run("debugfs", &["-w".as_ref(), "-R".as_ref(), request.as_ref(), image.as_ref()]);
    project
}

/// A project whose base has these entries in both tables of its boot partition.
fn with_clusters(entries: &[(u64, u32)]) -> Project {
    let project = Project::new();
    project.own_base();
    link(&project, entries);
    project
}

fn link(project: &Project, entries: &[(u64, u32)]) {
    let base = File::options().read(true).write(true).open(project.path("base.img")).unwrap();
    let mut length = [0; 4];
    base.read_exact_at(&mut length, BOOT + 36).unwrap();
    for (cluster, next) in entries {
        for table in [0, u64::from(u32::from_le_bytes(length)) * 512] {
            base.write_all_at(&next.to_le_bytes(), BOOT + 32 * 512 + table + cluster * 4).unwrap();
        }
    }
}

#[test]
fn a_file_that_is_a_hole_of_terabytes_is_not_read() {
    let project = with_field("/var/lib/dpkg/status", "size", "1099511627776");
    assert_snapshot!(project.imgbuild(&["inspect", "base.img"]));
}

#[test]
fn a_root_file_system_that_was_damaged_before_is_told_from_one_that_was_written_wrongly() {
    let project = with_field("/etc/fstab", "links_count", "7");
    assert_snapshot!(project.imgbuild(&["kitchen.yaml"]));
    assert_eq!(project.left_over(), Vec::<String>::new());
}

#[test]
fn a_folder_whose_clusters_lead_back_into_it_is_not_read_for_ever() {
    let project = with_clusters(&[]);
    // more of them than one cluster holds, so that nobody meets the end
    let at = format!("{}@@{BOOT}", project.path("base.img").display());
    for number in 0..20 {
        let name = format!("::{number}.txt");
        run("mcopy", &["-i".as_ref(), at.as_ref(), &project.path("ca.pem"), name.as_ref()]);
    }
    link(&project, &[(2, 2)]);
    assert_snapshot!(project.imgbuild(&["base", "inspect", "base.img"]));
}

#[test]
fn a_boot_partition_on_which_two_files_share_a_cluster_is_not_written_to() {
    // the first file and the second, of one cluster each
    let project = with_clusters(&[(3, 4)]);
    assert!(project.imgbuild(&["inspect", "base.img"]).starts_with("exit: 0\n"));
    assert_snapshot!(project.imgbuild(&["kitchen.yaml"]));
    assert_eq!(project.left_over(), Vec::<String>::new());
}

#[test]
fn a_link_of_terabytes_is_not_made_room_for() {
    let project = with_field("/sbin", "size", "8796093022216");
    assert_snapshot!(project.imgbuild(&["base", "inspect", "base.img"]));
}
