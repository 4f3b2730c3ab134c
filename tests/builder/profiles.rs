//! The example profiles: each is right, with its files and secrets beside it.

use std::fs;
use std::path::Path;

use crate::support::Project;

/// The secrets that the examples name.
const SECRETS: &str = "\
wifi: {home: a long passphrase, school: another passphrase}
pi.password: not so secret
azure: {device_key: O+H9VTcdJP0TQkl7bh4nVG0OJNrEataMpuWB54D0VEc=, publisher_key: O+H9VTcdJP0TQkl7bh4nVG0OJNrEataMpuWB54D0VEc=}
";

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
        let project = Project::with(&text);
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
        project.write("keys/id_ed25519.pub", "ssh-ed25519 AAAAC3Nz me\n");
        let seen = project.imgbuild(&["check", "kitchen.yaml"]);
        assert_eq!(seen, "exit: 0\nkitchen.yaml: nothing wrong\n", "{}", path.display());
    }
    assert!(count >= 7, "only {count} examples were found");
}
