//! Cards on the real base, looked at without booting them.

use std::path::Path;
use std::process::Command;

use crate::proof::Proof;

const EVERYTHING: &str = "\
network:
  wifi:
    country: NL
    networks: [{ssid: Home, psk: correct horse}]
  ethernet: {address: 192.168.1.20/24, gateway: 192.168.1.1, dns: [192.168.1.1]}
access: {user: pi, password: battery staple, ssh_keys: [ssh-ed25519 AAAAC3Nz me]}
sensors: [{id: probe, tmp102: {}}, {id: cpu, cpu-temperature: {}}]
";

/// Runs a program of administration that must succeed.
fn run(program: &str, arguments: &[&str]) -> String {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap());
    let output = Command::new(program).args(arguments).env("PATH", path).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{program}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn both_file_systems_are_clean_and_two_builds_are_one() {
    let proof = Proof::new(EVERYTHING, &[]);
    let first = proof.build();
    let kept = proof.path("first.img");
    std::fs::rename(&first, &kept).unwrap();
    let second = proof.build();
    run("cmp", &[kept.to_str().unwrap(), second.to_str().unwrap()]);

    let root = format!("{}?offset={}", kept.display(), 1_064_960 * 512);
    run("e2fsck", &["-fn", &root]);
    let boot = proof.path("boot.img");
    run(
        "dd",
        &[
            "status=none",
            "bs=1M",
            "skip=8",
            "count=512",
            &format!("if={}", kept.display()),
            &format!("of={}", boot.display()),
        ],
    );
    run("fsck.fat", &["-n", boot.to_str().unwrap()]);
}

#[test]
fn what_is_not_planned_is_as_in_the_base() {
    let proof = Proof::new(EVERYTHING, &[]);
    let card = proof.build();
    let base =
        imgbuild::base::cache::Bases::of_user().unwrap().path("debian-trixie-arm64").unwrap();
    let dump = |image: &Path, name: &str| {
        let folder = proof.path(name);
        std::fs::create_dir(&folder).unwrap();
        let root = format!("{}?offset={}", image.display(), 1_064_960 * 512);
        run("debugfs", &["-R", &format!("rdump / {}", folder.display()), &root]);
        folder
    };
    let (before, after) = (dump(&base, "before"), dump(&card, "after"));
    let output = Command::new("diff")
        .args(["--recursive", "--brief", "--no-dereference"])
        .args([&before, &after])
        .output()
        .unwrap();
    let differing = String::from_utf8(output.stdout).unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let planned = [
        "/etc",
        "/var: .updated",
        "/home",
        "/usr/bin",
        "/usr/lib: imgbuild",
        "/usr/lib/systemd/system",
        "/usr/lib/udev/rules.d",
    ];
    for line in differing.lines() {
        let line = line.replace(before.to_str().unwrap(), "").replace(after.to_str().unwrap(), "");
        let path = ["Files ", "File ", "Symbolic links ", "Only in "]
            .iter()
            .find_map(|start| line.strip_prefix(start))
            .unwrap_or_else(|| panic!("what does diff say? {line}"));
        assert!(planned.iter().any(|start| path.starts_with(start)), "{line}");
        assert!(!path.starts_with("/usr/bin") || path.contains("imgbuild-agent"), "{line}");
        assert!(!path.starts_with("/usr/lib") || path.contains("imgbuild"), "{line}");
    }
    assert!(differing.contains("imgbuild-agent"), "{differing}");
}
