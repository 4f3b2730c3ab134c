//! What lies there after a build: the image in each format, and what describes it, judged by those who read it.

mod described;
mod killed;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;

use crate::support::{Card, PROFILE, Project, flashed_onto_a_used_card, run};

/// Each format with the command that tests a file of it, and the one that prints what is in it.
const COMPRESSED: [(&str, &str, &str); 3] = [
    ("kitchen.img.zst", "zstd -qt", "zstd -qdc"),
    ("kitchen.img.xz", "xz -t", "xz -dc"),
    ("kitchen.img.gz", "gzip -t", "gzip -dc"),
];

const COMPANIONS: [&str; 5] = ["", ".bmap", ".cdx.json", ".manifest.json", ".sha256"];

const MORE: &str = "\
access: {user: pi, password: !secret pi}
network: {wifi: {country: NL, networks: [{ssid: Home, psk: !secret wifi.home}, {ssid: Lab, psk: canary-in-clear}]}}
";

fn project() -> Project {
    Project::with(&format!("{PROFILE}{MORE}"))
}

/// Builds an image with all that describes it, which must work.
fn built(project: &Project, name: &str) {
    let mut command = project.command(&["kitchen.yaml", "-o", name]);
    // where a project has a place of its own for temporary files, that is it
    if project.path("tmp").exists() {
        command.env("TMPDIR", project.path("tmp"));
    }
    let seen = project.seen(&mut command);
    assert!(seen.starts_with("exit: 0\n"), "{seen}");
}

/// What a line of shell prints, run in the project's folder; it must succeed.
fn shell(project: &Project, script: &str) -> Vec<u8> {
    let output =
        Command::new("sh").args(["-euc", script]).current_dir(project.path("")).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn every_format_holds_the_same_image() {
    let project = project();
    built(&project, "kitchen.img");
    let image = fs::read(project.path("kitchen.img")).unwrap();
    for (name, test, print) in COMPRESSED {
        built(&project, name);
        shell(&project, &format!("{test} {name}"));
        assert!(shell(&project, &format!("{print} {name}")) == image, "{name}");
        assert!(fs::metadata(project.path(name)).unwrap().len() < image.len() as u64 / 4, "{name}");
    }
    for name in ["kitchen.img", "kitchen.img.zst", "kitchen.img.xz", "kitchen.img.gz"] {
        shell(&project, &format!("sha256sum --check --strict {name}.sha256"));
        for ending in COMPANIONS {
            let mode =
                fs::metadata(project.path(&format!("{name}{ending}"))).unwrap().permissions();
            assert_eq!(mode.mode() & 0o777, 0o600, "{name}{ending}");
        }
    }
    assert_eq!(project.left_over().len(), 4 * COMPANIONS.len(), "something else was left behind");
}

#[test]
fn two_builds_are_the_same_to_the_byte_in_every_format() {
    let (one, other) = (project(), project());
    for name in ["kitchen.img", "kitchen.img.zst", "kitchen.img.xz", "kitchen.img.gz"] {
        for project in [&one, &other] {
            let mut command = project.command(&["kitchen.yaml", "-o", name]);
            let seen = project.seen(command.env("SOURCE_DATE_EPOCH", "1700000000"));
            assert!(seen.starts_with("exit: 0\n"), "{seen}");
        }
        for ending in COMPANIONS {
            let file = format!("{name}{ending}");
            let bytes = |project: &Project| fs::read(project.path(&file)).unwrap();
            assert!(bytes(&one) == bytes(&other), "{file}");
        }
    }
}

#[test]
fn the_number_of_processors_does_not_show() {
    let project = project();
    for (name, ..) in COMPRESSED {
        let build = |prefix: &[&str]| {
            let mut command = Command::new(prefix[0]);
            let call = project.command(&["kitchen.yaml", "-o", name]);
            command.args(&prefix[1..]).arg(call.get_program()).args(call.get_args());
            command.current_dir(project.path(""));
            for (name, value) in call.get_envs() {
                match value {
                    Some(value) => command.env(name, value),
                    None => command.env_remove(name),
                };
            }
            let seen = project.seen(&mut command);
            assert!(seen.starts_with("exit: 0\n"), "{seen}");
            fs::read(project.path(name)).unwrap()
        };
        assert!(build(&["taskset", "1"]) == build(&["env"]), "{name}");
    }
}

#[test]
fn an_image_lies_alone_if_it_is_to() {
    let project = Project::new();
    built(&project, "kitchen.img");
    assert_eq!(project.left_over().len(), COMPANIONS.len());
    // what described the image of before goes with it
    project.build().fsck();
    assert_eq!(project.left_over(), ["kitchen.img"]);
    let seen = project.imgbuild(&["kitchen.yaml", "-o", "kitchen.img.gz", "--image-only"]);
    assert!(seen.starts_with("exit: 0\n"), "{seen}");
    assert_eq!(project.left_over().len(), 2);
}

#[test]
fn a_disk_that_is_full_while_the_image_is_compressed() {
    let project = Project::with(&format!("{PROFILE}overlays: [./site]\n"));
    // what cannot be compressed takes as much room again
    let mut state = 1_u32;
    let random: String = (0..2_u32 << 20)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(b'!' + state.to_be_bytes()[0] % 90)
        })
        .collect();
    project.write("site/rootfs/opt/large", &random);
    fs::create_dir(project.path("out")).unwrap();
    // room for the image, and not for it and what it is compressed to
    let room = project.build().image().metadata().unwrap().blocks() / 2 + 512;
    let script = format!(
        "mount -t tmpfs -o size={room}k tmpfs out; \"$@\" || status=$?; ls -A out; exit $status"
    );
    let mut command =
        project.command_in_namespace(&script, &["kitchen.yaml", "-o", "out/kitchen.img.gz"]);
    let seen = project.seen(&mut command);
    assert_eq!(
        seen,
        "exit: 3\nerror: compressing the image: No space left on device (os error 28)\n"
    );
}

#[test]
fn an_agent_whose_crates_nobody_listed() {
    let project = Project::new();
    let agent = "agents/aarch64-unknown-linux-musl/imgbuild-agent";
    project.write(agent, "an agent");
    let mut command = project.command(&["kitchen.yaml", "-o", "kitchen.img.xz"]);
    command.env("IMGBUILD_AGENTS", project.path("agents"));
    insta::assert_snapshot!(project.seen(&mut command), @r"
    exit: 3
    error: ‹project›/agents/aarch64-unknown-linux-musl/imgbuild-agent.crates is not there: the list of the crates that the agent beside it is made of, for the bill of materials; `make agents` writes it, and an image alone (--image-only) does without
    ");
    assert_eq!(project.left_over(), ["agents"]);
}

#[test]
fn a_used_card_gets_every_block_that_a_file_system_counts_on() {
    let project = project();
    built(&project, "kitchen.img");
    flashed_onto_a_used_card(&project.path("kitchen.img"), &project.path("card"));
    let card = Card::new(project.path("card"));
    card.fsck();
    assert_eq!(card.read("/etc/hostname").unwrap(), "greenhouse-01\n");
    let image = fs::read(project.path("kitchen.img")).unwrap();
    assert!(card.bytes() != image, "the map has every block, so it proves nothing");
}

#[test]
fn bmaptool_copies_by_the_map_that_it_finds() {
    let project = project();
    built(&project, "kitchen.img");
    let image = fs::read(project.path("kitchen.img")).unwrap();
    for name in ["kitchen.img", "kitchen.img.gz", "kitchen.img.xz"] {
        built(&project, name);
        let copy = project.path("copy");
        let log = Command::new("bmaptool")
            .args(["copy".as_ref(), project.path(name).as_path(), copy.as_path()])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&log.stderr);
        assert!(log.status.success() && said.contains("discovered bmap file"), "{name}: {said}");
        assert!(fs::read(&copy).unwrap() == image, "{name}");
    }
    // one that is not the image's is found out
    let mut other = image;
    let last = other.len() - 100;
    other[last] ^= 1;
    other[440] ^= 1;
    fs::write(project.path("kitchen.img"), other).unwrap();
    let log = run_failing("bmaptool", &["copy", "kitchen.img", "copy"], &project);
    assert!(log.contains("checksum mismatch"), "{log}");
}

fn run_failing(program: &str, arguments: &[&str], project: &Project) -> String {
    let output =
        Command::new(program).args(arguments).current_dir(project.path("")).output().unwrap();
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_map_names_as_many_blocks_as_it_says() {
    let project = project();
    built(&project, "kitchen.img");
    let map = project.path("kitchen.img.bmap");
    let counted = run(
        "python3",
        &[
            "-c".as_ref(),
            "import sys, xml.etree.ElementTree as tree\n\
             bmap = tree.parse(sys.argv[1]).getroot()\n\
             ends = [r.text.strip().split('-') for r in bmap.find('BlockMap')]\n\
             print(sum(int(e[-1]) - int(e[0]) + 1 for e in ends), bmap.find('MappedBlocksCount').text.strip())"
                .as_ref(),
            &map,
        ],
    );
    let (sum, said) = counted.trim().split_once(' ').unwrap();
    assert_eq!(sum, said);
}
