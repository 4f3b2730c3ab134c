//! Real block devices: loop devices, which only root may set up.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{assert_holds, length, noisy_image, project, used_card};
use crate::support::{Project, run};

/// A loop device of the file `card`.
struct Loop(PathBuf);

impl Loop {
    fn new(project: &Project, sector: &str) -> Self {
        assert!(
            rustix::process::getuid().is_root(),
            "this proof sets up loop devices: run it as root"
        );
        let (flags, card) = (["--find", "--show", "--sector-size", sector], project.path("card"));
        let flags: Vec<&Path> = flags.iter().map(AsRef::as_ref).chain([card.as_path()]).collect();
        Self(run("losetup", &flags).trim().into())
    }

    fn flash(&self, project: &Project, more: &[&str]) -> String {
        let device = self.0.to_str().unwrap();
        let seen = project.imgbuild(&[&["flash", "--yes", "card.img", device], more].concat());
        seen.replace(device, "‹loop›")
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        run("losetup", &["--detach".as_ref(), &self.0]);
    }
}

#[test]
fn a_block_device_holds_the_image_whatever_its_sectors() {
    for sector in ["512", "4096"] {
        let project = project();
        used_card(&project, length(&project.path("card.img")) + 8192);
        let device = Loop::new(&project, sector);
        let seen = device.flash(&project, &["--quiet", "--not-a-card"]);
        assert_eq!(seen, "exit: 0\n");
        drop(device);
        assert_holds(&project.path("card"), &project.path("card.img"));
    }
}

#[test]
fn a_block_device_that_is_mounted_or_no_card_is_refused() {
    let project = project();
    used_card(&project, 80 << 20);
    let device = Loop::new(&project, "512");
    let seen = device.flash(&project, &[]);
    assert!(seen.contains("‹loop› does not look like a card (83.8 MB): "), "{seen}");
    run("mkfs.ext4", &["-q".as_ref(), &device.0]);
    fs::create_dir(project.path("mounted")).unwrap();
    run("mount", &[&device.0, &project.path("mounted")]);
    let seen = device.flash(&project, &["--not-a-card"]);
    run("umount", &[&project.path("mounted")]);
    assert!(seen.starts_with("exit: 1\nerror: ‹loop› is in use: "), "{seen}");
    assert!(seen.ends_with("/mounted; first `umount ‹loop›`\n"), "{seen}");
}

#[test]
fn who_may_not_write_to_a_device_is_told_how_to() {
    let project = project();
    used_card(&project, 80 << 20);
    let device = Loop::new(&project, "512");
    let (node, number) = (project.path("node"), device.0.metadata().unwrap().rdev());
    let [major, minor] =
        [rustix::fs::major(number), rustix::fs::minor(number)].map(|it| it.to_string());
    run("mknod", &["--mode=000".as_ref(), &node, "b".as_ref(), major.as_ref(), minor.as_ref()]);
    // root without its right to everything
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-dac_override,-dac_read_search", env!("CARGO_BIN_EXE_imgbuild")]);
    command.args(["flash", "--yes", "--not-a-card", "card.img", "node"]);
    assert_eq!(
        project.seen(command.current_dir(project.path("."))),
        "exit: 3\nerror: you may not write to node: run this with sudo, or as a member of the group that `ls -l node` shows\n"
    );
}

#[test]
fn a_write_that_the_disk_refuses_is_named_with_its_offset() {
    let project = project();
    noisy_image(&project, 60 << 20);
    let small = project.path("small");
    fs::create_dir(&small).unwrap();
    let options = ["-t", "tmpfs", "-o", "size=20m", "none"].map(Path::new);
    run("mount", &[&options[..], &[&small]].concat());
    fs::File::create(small.join("card")).unwrap().set_len(80 << 20).unwrap();
    symlink("small/card", project.path("card")).unwrap();
    let device = Loop::new(&project, "512");
    let seen = device.flash(&project, &["--quiet", "--not-a-card"]);
    drop(device);
    run("umount", &[&small]);
    // past the page cache: it is said where it was, not at the end
    let (before, after) =
        ("there is no room for what belongs at offset 2", "No space left on device");
    assert!(seen.starts_with(&format!("exit: 3\nerror: writing the image: {before}")), "{seen}");
    assert!(seen.contains(after), "{seen}");
}
