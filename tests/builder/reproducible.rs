//! A build is a function of its inputs.

use crate::support::{Card, PROFILE, Project};

const MORE: &str = "\
access: {user: pi, password: !secret pi, ssh_keys: [ssh-ed25519 AAAAC3Nz me]}
network: {wifi: {country: NL, networks: [{ssid: Home, psk: !secret wifi.home}]}}
";

fn built_at(project: &Project, epoch: Option<&str>) -> Vec<u8> {
    let mut command = project.command(&["kitchen.yaml"]);
    if let Some(epoch) = epoch {
        command.env("SOURCE_DATE_EPOCH", epoch);
    }
    let seen = project.seen(&mut command);
    assert!(seen.starts_with("exit: 0\n"), "{seen}");
    Card::new(project.path("kitchen.img")).bytes()
}

#[test]
fn two_builds_of_one_profile_are_the_same_to_the_byte() {
    let (one, other) =
        (Project::with(&format!("{PROFILE}{MORE}")), Project::with(&format!("{PROFILE}{MORE}")));
    for epoch in [None, Some("1700000000")] {
        let first = built_at(&one, epoch);
        // FAT counts in two seconds: a clock that got in would show
        std::thread::sleep(std::time::Duration::from_millis(2_100));
        assert!(first == built_at(&other, epoch), "with SOURCE_DATE_EPOCH {epoch:?}");
    }
}

#[test]
fn another_date_is_another_image() {
    let project = Project::new();
    assert!(built_at(&project, Some("1700000000")) != built_at(&project, Some("1700000100")));
}
