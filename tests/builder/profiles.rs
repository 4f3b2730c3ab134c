//! The example profiles: each is right, with its files and secrets beside it.

use std::fs;
use std::path::Path;

use crate::support::Project;

/// The secrets that the examples name.
const SECRETS: &str = "\
wifi: {greenhouse: a very long passphrase, home: a long passphrase, school: another passphrase}
pi.password: not so secret
azure: {device_key: O+H9VTcdJP0TQkl7bh4nVG0OJNrEataMpuWB54D0VEc=, publisher_key: O+H9VTcdJP0TQkl7bh4nVG0OJNrEataMpuWB54D0VEc=}
";

const NOTHING: &str = "exit: 0\nkitchen.yaml: nothing wrong\n";

/// What is said of a profile that has all its files and secrets.
fn checked(text: &str) -> String {
    let project = Project::with(text);
    project.write("secrets.yaml", SECRETS);
    project.mode("secrets.yaml", 0o600);
    for (name, from) in [
        ("certs/ca.pem", "ca.pem"),
        ("certs/device.pem", "device.pem"),
        ("certs/device.key", "device.key"),
        ("certs/quickstart.pem", "device.pem"),
        ("certs/quickstart.key", "device.key"),
        ("keys/device.key", "device.key"),
    ] {
        project.write(name, &fs::read_to_string(project.path(from)).unwrap());
    }
    for key in ["keys/id_ed25519.pub", ".ssh/id_ed25519.pub"] {
        project.write(key, "ssh-ed25519 AAAAC3Nz me\n");
    }
    project.write("site/rootfs/etc/site.conf", "mine\n");
    let mut command = project.command(&["check", "kitchen.yaml"]);
    command.env("HOME", project.path("")).env("LAB_PSK", "the lab's passphrase");
    project.seen(&mut command)
}

#[test]
fn the_profile_in_the_readme_passes_the_check() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let mut snippets =
        readme.split("```yaml\n").skip(1).map(|rest| rest.split_once("```").unwrap().0);
    let whole = snippets.next().unwrap();
    assert_eq!(checked(whole), NOTHING);
    let (before, rest) = whole.split_once("cloud:\n").unwrap();
    let (_, after) = rest.split_once("telemetry:").unwrap();
    // the others are clouds, to be put in place of that one's
    let mut clouds = 0;
    for cloud in snippets {
        assert!(cloud.starts_with("cloud:\n"), "{cloud}");
        assert_eq!(checked(&format!("{before}{cloud}telemetry:{after}")), NOTHING, "{cloud}");
        clouds += 1;
    }
    assert_eq!(clouds, 3);
}

#[test]
fn every_example_passes_the_check() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../profiles");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        count += 1;
        let text = fs::read_to_string(&path).unwrap();
        let head = "# yaml-language-server: $schema=schema.json\n";
        assert!(text.starts_with(head), "{}: no line for the editor", path.display());
        assert_eq!(checked(&text), NOTHING, "{}", path.display());
    }
    assert!(count >= 7, "only {count} examples were found");
}
