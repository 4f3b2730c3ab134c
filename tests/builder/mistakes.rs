//! What a person is told who gives the program something that cannot be built, and what is left behind:
//! nothing.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;

use insta::assert_snapshot;

use crate::support::{PROFILE, Project, run};

/// Builds the project, which must fail, and tells what is seen.
fn refusal(project: &Project) -> String {
    let seen = project.imgbuild(&["kitchen.yaml"]);
    assert_eq!(project.left_over(), Vec::<String>::new(), "something was left behind");
    seen
}

fn mistake(right: &str, wrong: &str) -> String {
    assert!(PROFILE.contains(right));
    refusal(&Project::with(&PROFILE.replacen(right, wrong, 1)))
}

#[test]
fn an_unknown_key() {
    assert_snapshot!(mistake("sensors:", "sensor:"));
}

#[test]
fn a_wrong_type() {
    assert_snapshot!(mistake("{id: air, tmp102: {}}", "{id: air, tmp102: 72}"));
}

#[test]
fn a_missing_file() {
    assert_snapshot!(mistake("!file ca.pem", "!file authority.pem"));
}

#[test]
fn an_unknown_model() {
    assert_snapshot!(mistake("pi-3", "pi-6"));
}

#[test]
fn a_model_that_the_base_cannot_boot() {
    assert_snapshot!(mistake("pi-3", "pi-4"));
}

#[test]
fn a_model_with_another_processor() {
    assert_snapshot!(mistake("pi-3", "pi-zero-w"));
}

#[test]
fn a_time_zone_that_the_base_does_not_know() {
    assert_snapshot!(mistake("Europe/Amsterdam", "Europe/Atlantis"));
}

#[test]
fn a_secret_that_others_can_read() {
    let project = Project::new();
    project.mode("secrets.yaml", 0o644);
    assert_snapshot!(refusal(&project));
}

#[test]
fn a_secret_that_is_not_there() {
    assert_snapshot!(mistake("!secret mqtt", "!secret mqt"));
}

#[test]
fn secrets_that_cannot_be_read() {
    let project = Project::new();
    project.write("secrets.yaml", "mqtt: [canary]\n");
    assert_snapshot!(refusal(&project));
}

#[test]
fn a_profile_that_is_not_there() {
    assert_snapshot!(Project::new().imgbuild(&["kitchn.yaml"]), @r"
    exit: 1
    error: reading the profile kitchn.yaml: there is no such file
    ");
}

#[test]
fn a_base_that_is_not_there() {
    assert_snapshot!(mistake("base.img", "bas.img"));
}

#[test]
fn a_base_that_is_no_image() {
    let project = Project::new();
    fs::remove_file(project.path("base.img")).unwrap();
    project.write("base.img", &"not an image at all\n".repeat(1_000));
    assert_snapshot!(refusal(&project));
}

#[test]
fn a_base_that_is_empty() {
    let project = Project::new();
    fs::remove_file(project.path("base.img")).unwrap();
    project.write("base.img", "");
    assert_snapshot!(refusal(&project));
}

#[test]
fn a_base_that_was_cut_short() {
    let project = Project::new();
    let base = fs::File::options().write(true).open(project.own_base()).unwrap();
    base.set_len(50 << 20).unwrap();
    assert_snapshot!(refusal(&project));
}

#[test]
fn a_base_that_is_compressed() {
    let project = Project::new();
    let file = fs::File::options().write(true).open(project.own_base()).unwrap();
    file.write_all_at(b"\xFD7zXZ\0", 0).unwrap();
    assert_snapshot!(refusal(&project));
}

#[test]
fn a_base_with_a_dirty_journal() {
    let project = Project::new();
    let base = format!("{}?offset={}", project.own_base().display(), 86_016 * 512);
    run(
        "debugfs",
        &["-w".as_ref(), "-R".as_ref(), "feature needs_recovery".as_ref(), base.as_ref()],
    );
    assert_snapshot!(refusal(&project));
}

#[test]
fn a_target_folder_that_is_not_there() {
    assert_snapshot!(Project::new().imgbuild(&["kitchen.yaml", "-o", "out/kitchen.img"]));
}

#[test]
fn a_target_that_is_a_folder() {
    let project = Project::new();
    fs::create_dir(project.path("out.img")).unwrap();
    assert_snapshot!(project.imgbuild(&["kitchen.yaml", "-o", "out.img"]));
}

#[test]
fn a_target_of_another_format() {
    assert_snapshot!(Project::new().imgbuild(&["kitchen.yaml", "-o", "kitchen.iso"]));
}

#[test]
fn a_target_folder_that_is_read_only() {
    let project = Project::new();
    fs::create_dir(project.path("out")).unwrap();
    let script = "mount -t tmpfs -o ro tmpfs out; exec \"$@\"";
    let mut command =
        project.command_in_namespace(script, &["kitchen.yaml", "-o", "out/kitchen.img"]);
    assert_snapshot!(project.seen(&mut command));
}

#[test]
fn a_disk_that_is_full_in_the_middle_of_the_build() {
    let project = Project::new();
    fs::create_dir(project.path("out")).unwrap();
    // the copy of the base alone takes more than there is
    let script =
        "mount -t tmpfs -o size=256k tmpfs out; \"$@\" || status=$?; ls -A out; exit $status";
    let mut command =
        project.command_in_namespace(script, &["kitchen.yaml", "-o", "out/kitchen.img"]);
    assert_snapshot!(project.seen(&mut command));
}

#[test]
fn a_disk_that_is_full_once_the_base_is_copied() {
    let project = Project::with(&format!("{PROFILE}overlays: [./site]\n"));
    project.write("site/rootfs/opt/large", &"x".repeat(8 << 20));
    fs::create_dir(project.path("out")).unwrap();
    let script =
        "mount -t tmpfs -o size=6m tmpfs out; \"$@\" || status=$?; ls -A out; exit $status";
    let mut command =
        project.command_in_namespace(script, &["kitchen.yaml", "-o", "out/kitchen.img"]);
    let seen = project.seen(&mut command);
    assert!(seen.starts_with("exit: 3\nerror: writing the root partition: "), "{seen}");
    assert!(seen.contains("No space left on device"), "{seen}");
    assert_eq!(seen.lines().count(), 2, "something was left behind: {seen}");
}

/// Builds where no agent was compiled: those that were lie beside the program, where they would be found.
fn without_agents(project: &Project) -> String {
    let agents = Path::new(env!("CARGO_BIN_EXE_imgbuild")).with_file_name("../agents");
    let script = format!("[ ! -d {0} ] || mount -t tmpfs tmpfs {0}; exec \"$@\"", agents.display());
    let mut command = project.command_in_namespace(&script, &["kitchen.yaml"]);
    command
        .env("IMGBUILD_AGENTS", project.path("absent"))
        .env("IMGBUILD_CACHE", project.path("cache"));
    let seen = project.seen(&mut command);
    assert_eq!(project.left_over(), Vec::<String>::new(), "something was left behind");
    seen
}

#[test]
fn an_agent_that_was_not_compiled() {
    assert_snapshot!(without_agents(&Project::new()));
}

#[test]
fn an_agent_that_was_not_compiled_and_a_base_that_was_not_made() {
    let project = Project::with(&PROFILE.replace("{file: base.img}", "debian-trixie-arm64"));
    assert_snapshot!(without_agents(&project));
}

#[test]
fn a_tool_that_is_missing() {
    let project = Project::new();
    let script = "for tool in /usr/bin/mcopy /usr/bin/mtools; do mount --bind /dev/null $tool; done; mount -t tmpfs tmpfs /usr/sbin; exec \"$@\"";
    let mut command = project.command_in_namespace(script, &["kitchen.yaml"]);
    command.env("PATH", "/usr/bin:/bin");
    assert_snapshot!(project.seen(&mut command));
    assert_eq!(project.left_over(), Vec::<String>::new());
}

#[test]
fn the_doctor_lists_every_tool_and_names_what_is_missing() {
    let project = Project::new();
    let seen = project.imgbuild(&["doctor"]);
    for tool in [
        "e2fsprogs 1.47 or later (debugfs)",
        "qemu-system-arm 9.0 or later",
        "mosquitto (mosquitto)",
    ] {
        assert!(seen.contains(tool), "{seen}");
    }
    let script = "mount --bind /dev/null /usr/bin/mcopy; exec \"$@\"";
    let mut command = project.command_in_namespace(script, &["doctor"]);
    let seen = project.seen(&mut command);
    assert!(seen.starts_with("exit: 3\n") && seen.contains("missing  mtools (mcopy)"), "{seen}");
}

#[test]
fn no_command_at_all() {
    let seen = Project::new().imgbuild(&[]);
    assert!(seen.starts_with("exit: 2\nerror: a profile or a command is wanted"), "{seen}");
}

#[test]
fn no_secret_is_in_anything_that_is_printed() {
    let more = "access: {user: pi, password: !secret pi}\nnetwork: {wifi: {country: NL, networks: [{ssid: Home, psk: !secret wifi.home}]}}\n";
    let right = format!("{PROFILE}{more}");
    // mistakes of which the secret, or what stands beside it, is a part
    let wrong = [
        right.clone(),
        right.replace("username: greenhouse", "username: !secret mqtt"),
        right.replace("ssid: Home", "ssid: !secret wifi.home"),
        right.replace("id: air", "id: !secret wifi.home"),
        right.replace("model: pi-3", "model: !secret mqtt"),
        right.replace("Europe/Amsterdam", "!secret pi"),
        right.replace("host: broker.lan", "host: \"a b\", port: !secret mqtt"),
        right.replace("!file ca.pem", "!secret mqtt"),
        right.replace("country: NL", "country: !secret wifi.lab"),
        right.replace("psk: !secret wifi.home", "psk: canary-in-clear, colour: red"),
        right.replace("psk: !secret wifi.home", "psk: \"canary-in-clear\\u00e9\""),
        right.replace("version: 1", "version: one\nx-shared: !secret pi"),
    ];
    for profile in wrong {
        let project = Project::with(&profile);
        for arguments in [
            &["-v", "kitchen.yaml"][..],
            &["check", "-v", "kitchen.yaml"],
            &["check", "--format", "json", "kitchen.yaml"],
            &["check", "--format", "github", "kitchen.yaml"],
            &["plan", "-v", "kitchen.yaml"],
            &["plan", "--format", "json", "kitchen.yaml"],
            &["-v", "kitchen.yaml", "-o", "absent/x.img"],
        ] {
            let seen = project.imgbuild(arguments);
            assert!(!seen.contains("canary"), "{arguments:?} of {profile}: {seen}");
        }
    }
}
