use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::*;
use crate::tool::Tool;

/// A file system that mkfs.vfat and mtools made, with a file of three clusters and one in a folder.
struct Made {
    folder: tempfile::TempDir,
    file: Arc<File>,
    length: u64,
}

impl Made {
    fn new(kind: &str, sectors: u8) -> Self {
        let made = Self::empty(kind, sectors);
        made.script(
            "head -c 1500 /dev/zero > kernel.img\nmmd -i boot ::overlays\n\
             mcopy -i boot kernel.img ::\nmcopy -i boot kernel.img ::overlays/a-long-name.dtbo\n",
        );
        made
    }

    fn empty(kind: &str, sectors: u8) -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("boot");
        let length = 40 << 20;
        let mut options = File::options();
        let file = options.read(true).write(true).create_new(true).open(path).unwrap();
        file.set_len(length).unwrap();
        let made = Self { folder, file: Arc::new(file), length };
        made.script(&format!("mkfs.vfat -F {kind} -s {sectors} boot"));
        made
    }

    fn script(&self, script: &str) {
        let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap());
        let tool = Tool::new("sh", "making a file system").args(["-ec", script]);
        tool.env("PATH", path).folder(self.folder.path()).run().unwrap();
    }

    fn window(&self) -> Window {
        Window::new(Arc::clone(&self.file), 0, self.length)
    }

    /// Puts an entry into both tables.
    fn link(&self, cluster: u64, next: u32) {
        let geometry = Geometry::read(&self.window()).unwrap();
        for table in [0, geometry.table.0] {
            let at = geometry.reserved + table + cluster * 4;
            self.file.write_all_at(&next.to_le_bytes(), at).unwrap();
        }
    }

    fn complaint(&self) -> String {
        format!("{:#}", check(&self.window()).unwrap_err())
    }

    /// Does the file system's own checker complain as well?
    fn is_refused(&self) -> bool {
        let image = self.folder.path().join("boot");
        Tool::new("fsck.vfat", "checking").arg("-n").arg(image).run().is_err()
    }
}

const END: u32 = 0x0FFF_FFFF;

#[test]
fn what_its_own_tools_made_is_consistent() {
    for (kind, sectors) in [("16", 4), ("32", 1)] {
        let made = Made::new(kind, sectors);
        check(&made.window()).unwrap();
        assert!(!made.is_refused());
    }
}

#[test]
fn it_is_told_whose_clusters_are_wrong() {
    // the folder has cluster 3, the kernel 4 to 6, the overlay 7 to 9
    for (cluster, next, complaint) in [
        (6, 4, "`/KERNEL.IMG`: shares cluster 4, or leads back to it"),
        (6, 7, "`/KERNEL.IMG` has 1500 bytes, and 6 clusters of 512"),
        (9, 4, "`/OVERLAYS/A-LONG~1.DTB`: shares cluster 4, or leads back to it"),
        (4, 0x0FFF_0000, "`/KERNEL.IMG`: leads to cluster 268369920, which there is not"),
        (4, 11, "`/KERNEL.IMG`: leads to cluster 11, which is free"),
        (4, END, "`/KERNEL.IMG` has 1500 bytes, and 1 clusters of 512"),
        (8, END, "`/OVERLAYS/A-LONG~1.DTB` has 1500 bytes, and 2 clusters of 512"),
        (3, 3, "the folder `/OVERLAYS/`: shares cluster 3, or leads back to it"),
        (20, END, "1 cluster is in use, but by no file"),
    ] {
        let made = Made::new("32", 1);
        made.link(cluster, next);
        let told = made.complaint();
        assert!(told.starts_with("the boot file system is damaged; "), "{told}");
        assert!(told.contains(complaint), "{told}");
        assert!(made.is_refused(), "{told}");
    }
}

#[test]
fn two_tables_that_differ_are_refused() {
    let made = Made::new("32", 1);
    let geometry = Geometry::read(&made.window()).unwrap();
    let at = geometry.reserved + geometry.table.0 + 4 * 4;
    made.file.write_all_at(&[9], at).unwrap();
    assert!(made.complaint().ends_with("its two tables differ") && made.is_refused());
}

#[test]
fn what_no_check_mends_is_not_called_damaged() {
    let told = Made::new("12", 64).complaint();
    assert_eq!(told, "the boot file system is FAT12, which no board starts from");
    let told = Made::empty("32", 4).complaint();
    assert!(told.starts_with("the boot file system is FAT32, and has 20392 clusters: "), "{told}");
}

#[test]
fn a_boot_sector_that_says_more_than_there_is_is_refused() {
    let made = Made::new("32", 1);
    made.file.write_all_at(&[0xFF], 0x22).unwrap();
    assert!(made.complaint().contains("its boot sector says that it has"), "{}", made.complaint());
    made.file.write_all_at(&[0x81], 0x28).unwrap();
    assert!(made.complaint().contains("are not kept alike"), "{}", made.complaint());
    made.file.write_all_at(&[3], 0x0D).unwrap();
    assert!(made.complaint().contains("gives no size of a cluster"), "{}", made.complaint());
}
