//! A build that is asked to end by a signal, in the middle of its work.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use crate::shared::process::Process;
use crate::shared::wait_for;
use crate::support::{Project, run};

/// A project whose debugfs says that it began, and never ends.
fn project() -> Project {
    let project = Project::new();
    project.write(
        "tools/debugfs",
        "#!/bin/sh\nulimit -c > tools/core\n: > tools/began\nexec sleep 600\n",
    );
    fs::set_permissions(project.path("tools/debugfs"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(project.path("tmp")).unwrap();
    project
}

fn interrupted_by(signal: &str) -> (Option<i32>, Project) {
    let project = project();
    project.write("kitchen.img", "the card of before");
    let path = std::env::var("PATH").unwrap();
    let mut build = Process::start(
        project
            .command(&["kitchen.yaml"])
            .env("PATH", format!("{}:{path}", project.path("tools").display()))
            .env("TMPDIR", project.path("tmp"))
            .stderr(Stdio::from(fs::File::create(project.path("tools/said")).unwrap())),
    );
    wait_for("debugfs to begin", || project.path("tools/began").exists().then_some(()));
    build.signal(signal);
    (build.wait(), project)
}

#[test]
fn leaves_nothing_and_says_so() {
    for (signal, status) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129)] {
        let (code, project) = interrupted_by(signal);
        assert_eq!(code, Some(status), "{signal}");
        let said = fs::read_to_string(project.path("tools/said")).unwrap();
        assert_eq!(said, "interrupted; nothing was written\n");
        let mut left = project.left_over();
        left.sort();
        assert_eq!(left, ["kitchen.img", "tmp", "tools"]);
        assert_eq!(fs::read_dir(project.path("tmp")).unwrap().count(), 0);
        let card = fs::read_to_string(project.path("kitchen.img")).unwrap();
        assert_eq!(card, "the card of before");
    }
}

#[test]
fn no_core_dump_can_hold_a_secret() {
    let (_, project) = interrupted_by("-TERM");
    assert_eq!(fs::read_to_string(project.path("tools/core")).unwrap(), "0\n");
}

/// A compressed card is unpacked to be looked at, for nobody else, and for as long as it takes.
#[test]
fn what_was_unpacked_to_be_looked_at_is_gone() {
    let project = Project::new();
    run("gzip", &[project.build().image()]);
    project.write(
        "tools/e2fsck",
        "#!/bin/sh\nstat -c '%a %h' cache/images/.imgbuild-* > tools/seen\nexec sleep 600\n",
    );
    project.mode("tools/e2fsck", 0o755);
    let path = std::env::var("PATH").unwrap();
    let mut verify = Process::start(
        project
            .command(&["verify", "kitchen.img.gz", "kitchen.yaml"])
            .env("PATH", format!("{}:{path}", project.path("tools").display()))
            .env("IMGBUILD_CACHE", project.path("cache")),
    );
    let seen = || fs::read_to_string(project.path("tools/seen")).ok().filter(|it| !it.is_empty());
    assert_eq!(wait_for("e2fsck to begin", seen), "600 1\n");
    // who clears the cache away meanwhile leaves it
    let mut prune = project.command(&["base", "prune", "--all"]);
    prune.env("IMGBUILD_CACHE", project.path("cache"));
    assert_eq!(project.seen(&mut prune), "exit: 0\n0 MiB freed\n");
    let left = || {
        let files = fs::read_dir(project.path("cache/images")).unwrap();
        files.map(|file| file.unwrap().file_name()).filter(|name| name != ".lock").count()
    };
    assert_eq!(left(), 1);
    verify.signal("-INT");
    assert_eq!(verify.wait(), Some(130));
    assert_eq!(left(), 0);
}
