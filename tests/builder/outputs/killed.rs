//! A build that is killed as a power cut would end it: there is no output, or a whole one.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{built, project, shell};
use crate::shared::process::Process;

/// How many builds are killed: a few in `make test`, as many as the variable says in `make soak`.
fn kills() -> u32 {
    std::env::var("IMGBUILD_KILLS").map_or(12, |number| number.parse().unwrap())
}

#[test]
fn killed_at_any_moment_a_build_leaves_no_output_or_a_whole_one() {
    let project = project();
    for name in ["kitchen.img.zst", "kitchen.img.gz", "kitchen.img"] {
        let began = Instant::now();
        built(&project, name);
        let takes = began.elapsed();
        let kills = kills().div_ceil(3);
        let mut whole = 0;
        for kill in 0..kills {
            for file in project.left_over() {
                fs::remove_file(project.path(&file)).unwrap();
            }
            let mut arguments = vec!["kitchen.yaml", "-o", name];
            arguments.extend((name == "kitchen.img").then_some("--describe"));
            let mut command = project.command(&arguments);
            let process = Process::start(command.stderr(Stdio::null()));
            // spread over the whole build, the last one after its likely end
            std::thread::sleep(takes * kill / kills + Duration::from_micros(u64::from(kill) * 37));
            process.kill();
            if project.path(name).exists() {
                whole += 1;
                shell(&project, &format!("sha256sum --check --strict {name}.sha256"));
                let beside = project.left_over();
                let beside = beside.iter().filter(|file| file.starts_with(name)).count();
                assert_eq!(beside, super::COMPANIONS.len(), "{name}");
            }
        }
        assert!(whole < kills, "every build was done before it was killed");
        built(&project, name);
        shell(&project, &format!("sha256sum --check --strict {name}.sha256"));
    }
}
