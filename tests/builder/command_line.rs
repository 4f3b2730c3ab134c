//! What a person is told who types something else than was meant.

use std::fmt::Write as _;
use std::fs;

use insta::assert_snapshot;

use crate::support::{PROFILE, Project, run};

#[test]
fn a_command_that_does_not_exist() {
    let project = Project::new();
    assert_snapshot!(project.imgbuild(&["inspct", "x.img"]));
    assert_snapshot!(project.imgbuild(&["docter"]));
    assert_snapshot!(project.imgbuild(&["frobnicate", "kitchen.yaml"]));
}

#[test]
fn a_word_after_the_profile() {
    let project = Project::new();
    assert_snapshot!(project.imgbuild(&["kitchen.yaml", "kitchen.img"]));
    assert_snapshot!(project.imgbuild(&["kitchen.yaml", "check"]));
}

#[test]
fn a_command_with_too_little() {
    let project = Project::new();
    for (command, wanted) in [
        (&["build"][..], "<PROFILE>"),
        (&["check"], "<PROFILES>..."),
        (&["plan"], "<PROFILE>"),
        (&["render", "kitchen.yaml"], "--output <OUTPUT>"),
        (&["inspect"], "<IMAGE>"),
        (&["verify", "base.img"], "<PROFILE>"),
        (&["diff", "base.img"], "<NEW>"),
        (&["flash"], "<IMAGE>"),
        (&["run"], "<CARD>"),
        (&["base", "fetch"], "<BASE|PROFILE>..."),
        (&["base", "inspect"], "<IMAGE|BASE>"),
    ] {
        let seen = project.imgbuild(command);
        assert!(seen.starts_with("exit: 2\nerror: ") && seen.contains(wanted), "{seen}");
    }
}

#[test]
fn a_file_that_is_none() {
    let project = Project::new();
    fs::create_dir(project.path("folder")).unwrap();
    // nobody writes to it, and nobody is waited for
    run("mkfifo", &[&project.path("pipe")]);
    let mut told = String::new();
    for command in [
        &["inspect"][..],
        &["base", "inspect"],
        &["diff", "base.img"],
        &["flash", "--file", "--yes", "base.img"],
        &["run"],
        &["build"],
        &["check"],
        &["plan"],
    ] {
        let takes_streams = ["build", "check", "plan"].contains(&command[0]);
        let names = ["folder", "absent.img", "-", "/dev/null", "pipe"];
        for name in names.iter().filter(|name| **name != "pipe" || !takes_streams) {
            let seen = project.imgbuild(&[command, &[name]].concat());
            write!(told, "{} {name}: {seen}", command.join(" ")).unwrap();
        }
    }
    assert_snapshot!(told);
}

#[test]
fn a_profile_in_place_of_an_image() {
    let project = Project::new();
    assert_snapshot!(project.imgbuild(&["inspect", "kitchen.yaml"]));
    for command in [
        &["verify", "kitchen.yaml", "base.img"][..],
        &["diff", "base.img", "kitchen.yaml"],
        &["flash", "kitchen.yaml", "/dev/null"],
    ] {
        let seen = project.imgbuild(command);
        assert!(seen.starts_with("exit: 2\nerror: kitchen.yaml is a profile; "), "{seen}");
    }
}

#[test]
fn an_image_in_place_of_a_profile() {
    assert_snapshot!(Project::new().imgbuild(&["build", "base.img"]));
}

#[test]
fn a_target_that_the_card_is_made_from() {
    let project = Project::new();
    let base = fs::read_link(project.path("base.img")).unwrap();
    assert_snapshot!(project.imgbuild(&["kitchen.yaml", "-o", "base.img"]));
    fs::rename(project.path("kitchen.yaml"), project.path("profile.img")).unwrap();
    assert_snapshot!(project.imgbuild(&["build", "profile.img"]));
    assert_eq!(fs::read_link(project.path("base.img")).unwrap(), base);
    assert_eq!(fs::read_to_string(project.path("profile.img")).unwrap(), PROFILE);
}

#[test]
fn a_target_folder_that_takes_no_files() {
    let project = Project::new();
    assert_snapshot!(project.imgbuild(&["kitchen.yaml", "-o", "/proc/kitchen.img"]));
    assert_snapshot!(project.imgbuild(&["render", "kitchen.yaml", "-o", "/proc/kitchen"]));
}

#[test]
fn a_disk_that_is_full_before_anything_is_written() {
    let project = Project::new();
    fs::create_dir(project.path("out")).unwrap();
    // room for a name, and for nothing in it
    let script = "mount -t tmpfs -o size=4k tmpfs out; exec \"$@\"";
    let mut command = project.command_in_namespace(script, &["kitchen.yaml", "-o", "out/a.img"]);
    let seen = project.seen(&mut command);
    assert!(seen.starts_with("exit: 3\nerror: ") && seen.lines().count() == 2, "{seen}");
    assert!(seen.to_lowercase().contains("no") && seen.contains("out"), "{seen}");
}

#[test]
fn a_number_that_is_none() {
    let project = Project::new();
    assert_snapshot!(project.imgbuild(&["run", "base.img", "--temperature", "warm"]));
}
