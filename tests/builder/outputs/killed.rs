//! A build that is killed as a power cut would end it: there is no output, or a whole one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{built, project, shell};
use crate::shared::process::Process;
use crate::shared::wait_for;
use crate::support::Project;

/// How many builds are killed: a few in `make test`, as many as the variable says in `make soak`.
fn kills() -> u32 {
    std::env::var("IMGBUILD_KILLS").map_or(12, |number| number.parse().unwrap())
}

#[test]
fn killed_at_any_moment_a_build_leaves_no_output_or_a_whole_one() {
    let project = project();
    fs::create_dir(project.path("tmp")).unwrap();
    for name in ["kitchen.img.zst", "kitchen.img.gz", "kitchen.img"] {
        built(&project, name);
        // the first one was cold
        let began = Instant::now();
        built(&project, name);
        let takes = began.elapsed();
        let kills = kills().div_ceil(3);
        let (mut whole, mut remains) = (0, 0);
        for kill in 0..kills {
            for file in project.left_over().iter().filter(|file| file.starts_with("kitchen.")) {
                fs::remove_file(project.path(file)).unwrap();
            }
            let mut command = project.command(&["kitchen.yaml", "-o", name]);
            let command = command.env("TMPDIR", project.path("tmp")).stderr(Stdio::null());
            let process = Process::start(command);
            // spread over the whole build, the last one after its likely end
            std::thread::sleep(takes * kill / kills + Duration::from_micros(u64::from(kill) * 37));
            process.kill();
            remains += remains_of(&project).len();
            if project.path(name).exists() {
                whole += 1;
                shell(&project, &format!("sha256sum --check --strict {name}.sha256"));
                let beside = project.left_over();
                let beside = beside.iter().filter(|file| file.starts_with(name)).count();
                assert_eq!(beside, super::COMPANIONS.len(), "{name}");
            }
        }
        assert!(whole < kills, "every build was done before it was killed");
        assert!(remains > 0, "no build had begun anything when it was killed");
        built(&project, name);
        shell(&project, &format!("sha256sum --check --strict {name}.sha256"));
        // those before it, killed as they were, had keys in what they left
        assert_eq!(remains_of(&project), Vec::<String>::new());
    }
}

/// What builds have left beside their output, and where temporary files are.
fn remains_of(project: &Project) -> Vec<String> {
    let hidden = project.left_over().into_iter().filter(|name| name.starts_with('.'));
    let temporary = fs::read_dir(project.path("tmp")).unwrap();
    let temporary = temporary.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    hidden.chain(temporary).collect()
}

#[test]
fn what_a_build_needs_is_left_alone_by_another_until_it_is_dead() {
    let project = project();
    for folder in ["tmp", "tools"] {
        fs::create_dir(project.path(folder)).unwrap();
    }
    // a debugfs that never ends
    project.write(
        "tools/debugfs",
        "#!/bin/sh\necho $$ > tools/began.new\nmv tools/began.new tools/began\nexec sleep 600\n",
    );
    fs::set_permissions(project.path("tools/debugfs"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap();
    let mut command = project.command(&["kitchen.yaml", "-o", "other.img"]);
    let command = command
        .env("PATH", format!("{}:{path}", project.path("tools").display()))
        .env("TMPDIR", project.path("tmp"))
        .stderr(Stdio::null());
    let slow = Process::start(command);
    wait_for("debugfs to begin", || project.path("tools/began").exists().then_some(()));
    let remains = remains_of(&project);
    assert_eq!(remains.len(), 2, "{remains:?}");
    built(&project, "kitchen.img");
    assert_eq!(remains_of(&project), remains, "what a living build needs was removed");
    slow.kill();
    let tool = fs::read_to_string(project.path("tools/began")).unwrap();
    shell(&project, &format!("kill {}", tool.trim()));
    assert_eq!(remains_of(&project), remains);
    built(&project, "kitchen.img");
    assert_eq!(remains_of(&project), Vec::<String>::new());
}
