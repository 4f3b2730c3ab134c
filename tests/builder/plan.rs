//! What a card would hold, shown before it is made.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::{PROFILE, Project};

const MORE: &str = "access: {user: pi, password: !secret pi}\nnetwork:\n  wifi:\n    country: NL\n    networks:\n      - {ssid: Home, psk: !secret wifi.home}\n      - {ssid: Lab, security: wpa3, psk: !secret wifi.lab}\n";

fn project() -> Project {
    Project::with(&format!("{PROFILE}{MORE}"))
}

#[test]
fn a_plan_shows_every_file_and_hides_every_secret() {
    let seen = project().imgbuild(&["plan", "kitchen.yaml"]);
    assert!(seen.starts_with("exit: 0\ngreenhouse-01: pi-3 on base.img\n"), "{seen}");
    for part in [
        "root /etc/hostname\n  replaces a file, 0644 0:0, from overlay identity\n  | greenhouse-01\n",
        "‹secret wifi.home›",
        "‹secret wifi.lab›",
        "‹secret pi›",
        "‹secret mqtt›",
        "‹file device.key›",
        "| country=NL\n",
    ] {
        assert!(seen.contains(part), "no {part:?} in {seen}");
    }
    assert!(!seen.contains("canary"), "{seen}");
    assert!(!seen.contains("$6$"), "a hash that can be guessed at: {seen}");
}

#[test]
fn a_plan_can_be_read_by_programs() {
    let output = project().command(&["plan", "kitchen.yaml", "--format", "json"]).output().unwrap();
    let plan: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&plan["device"], &plan["model"]), (&"greenhouse-01".into(), &"pi-3".into()));
    let files = plan["files"].as_array().unwrap();
    let file = |path: &str| files.iter().find(|file| file["path"] == path).unwrap();
    assert_eq!(file("/etc/hostname")["content"], "greenhouse-01\n");
    assert_eq!(file("/etc/imgbuild/credentials/password")["mode"], "0600");
    assert_eq!(file("/etc/imgbuild/credentials/password")["content"], "‹secret mqtt›");
}

#[test]
fn a_rendering_is_what_the_card_holds() {
    let project = project();
    let seen = project.imgbuild(&["render", "kitchen.yaml", "-o", "card"]);
    assert!(seen.starts_with("exit: 0\ncard: "), "{seen}");
    let card = project.build();
    for path in
        ["/etc/hostname", "/etc/imgbuild/profile.yaml", "/etc/imgbuild/credentials/password"]
    {
        let rendered = fs::read_to_string(project.path(&format!("card/rootfs{path}"))).unwrap();
        assert_eq!(Some(rendered), card.read(path), "{path}");
    }
    let mode = |name: &str| fs::metadata(project.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("card"), 0o700);
    assert_eq!(mode("card/rootfs/etc/imgbuild/credentials/password"), 0o600);
    let owners = fs::read_to_string(project.path("card/owners.txt")).unwrap();
    assert!(owners.contains("0644 0:0 rootfs/etc/hostname\n"), "{owners}");
}

#[test]
fn a_rendering_never_lands_on_something() {
    let project = project();
    fs::create_dir(project.path("card")).unwrap();
    let seen = project.imgbuild(&["render", "kitchen.yaml", "-o", "card"]);
    assert_eq!(seen, "exit: 2\nerror: card is there already; name a folder to be made\n");
    let seen = project.imgbuild(&["render", "kitchen.yaml", "-o", "absent/card"]);
    assert!(seen.starts_with("exit: 1\nerror: writing into the folder absent: "), "{seen}");
}
