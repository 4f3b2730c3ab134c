//! A card on each release of Raspberry Pi OS, for each kind of processor, on images that are like them
//! (`tests/fixtures/raspios`): read, built on, and judged by the programs that read what was written.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use insta::assert_snapshot;

use crate::injection::complaints;
use crate::laid_out::{BOOKWORM_ARM64, BOOKWORM_ARMHF, BULLSEYE_ARMHF, Likeness, TRIXIE_ARMHF};
use crate::raspios::{as_it_reads, judge_sudo_and_ssh};
use crate::support::{Card, PROFILE, Project, run};
use crate::wifi::WIFI;

const ACCESS: &str =
    "access: {user: ada, password: !secret pi, ssh_keys: [ssh-ed25519 AAAAC3Nz me]}\n";

/// What a card must have, whichever release it is.
struct Expected {
    model: &'static str,
    /// What the agent must be compiled for.
    target: &'static str,
    enabled: &'static [&'static str],
    masked: &'static [&'static str],
}

const TARGETS: [&str; 3] = [
    "aarch64-unknown-linux-musl",
    "armv7-unknown-linux-musleabihf",
    "arm-unknown-linux-musleabihf",
];

const NETWORK_MANAGER: &[&str] =
    &["NetworkManager.service", "imgbuild-radio.service", "imgbuild-agent.service", "ssh.service"];

/// Builds a card on a likeness and lets everybody judge it.
fn judge(likeness: &Likeness, expected: &Expected) {
    let (base, is_real) = likeness.base();
    let profile = PROFILE.replace("model: pi-3", &format!("model: {}", expected.model));
    let project = Project::with(&format!("{profile}{WIFI}{ACCESS}"));
    fs::remove_file(project.path("base.img")).unwrap();
    symlink(&base.path, project.path("base.img")).unwrap();
    for target in TARGETS {
        project.write(&format!("agents/{target}/imgbuild-agent"), target);
    }
    let see = |arguments: &[&str]| {
        project.seen(project.command(arguments).env("IMGBUILD_AGENTS", project.path("agents")))
    };
    if !is_real {
        let seen = see(&["base", "inspect", "base.img"]);
        // sizes change with Debian's packages, and ids with the likeness
        let lines = seen
            .lines()
            .filter(|line| !line.starts_with("size") && !line.starts_with("partitions"));
        let lines: Vec<&str> = lines.collect();
        assert_snapshot!(likeness.name, lines.join("\n"));
    }
    let seen = see(&["build", "kitchen.yaml", "--image-only"]);
    assert!(seen.starts_with("exit: 0\n"), "{seen}");
    let seen = see(&["verify", "kitchen.img", "kitchen.yaml"]);
    assert!(seen.starts_with("exit: 0\n"), "{seen}");

    let card = Card::new(project.path("kitchen.img"));
    let verdict = run("sfdisk", &["--verify".as_ref(), card.image()]);
    assert!(verdict.contains("No errors detected."), "{verdict}");
    card.fsck();
    assert_eq!(card.read("/usr/bin/imgbuild-agent").as_deref(), Some(expected.target));
    judge_sudo_and_ssh(&card);
    first_start(&card);
    let tree = project.path("tree");
    fs::create_dir(&tree).unwrap();
    card.copy_out(&tree);
    units(&tree, expected, is_real);
    accounts(&tree);
    networks(&card);
}

/// What the base would do at its first start is not done.
fn first_start(card: &Card) {
    let line = card.boot_file("cmdline.txt");
    for word in ["resize", "init="] {
        assert!(line.split(' ').all(|it| !it.starts_with(word)), "{line}");
    }
    assert!(
        line.contains("root=PARTUUID=") && line.ends_with("cfg80211.ieee80211_regdom=NL"),
        "{line}"
    );
    assert!(!line.contains('\n'), "{line}");
    let config = card.boot_file("config.txt");
    assert!(config.lines().any(|line| line == "dtparam=i2c_arm=on"), "{config}");
}

/// systemd's own tools say what is started, and what never is; and take every unit that is ours.
fn units(tree: &Path, expected: &Expected, is_real: bool) {
    let root = format!("--root={}", tree.display());
    let state = |unit: &str| {
        let output = Command::new("systemctl").args([&root, "is-enabled", unit]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    for unit in expected.enabled {
        assert_eq!(state(unit), "enabled", "{unit}");
    }
    for unit in expected.masked.iter().chain(&["userconfig.service", "systemd-firstboot.service"]) {
        // a real image need not have all that its likeness has
        let allowed: &[&str] = if is_real { &["masked", "not-found", ""] } else { &["masked"] };
        assert!(allowed.contains(&&*state(unit)), "{unit} is {}", state(unit));
    }
    let units = fs::read_dir(tree.join("usr/lib/systemd/system")).unwrap();
    let names = units.map(|unit| unit.unwrap().file_name().into_string().unwrap());
    let mut ours: Vec<String> = names.filter(|name| name.starts_with("imgbuild-")).collect();
    ours.extend(expected.enabled.iter().map(|&unit| unit.to_owned()));
    for unit in ours {
        assert_eq!(complaints(tree, &unit), [""; 0], "{unit}");
    }
}

/// The waiting account has the user's name, and passwd's own checkers find nothing to complain of.
fn accounts(tree: &Path) {
    for program in ["pwck", "grpck"] {
        // both look users up where they find themselves, and in there only root can put them
        let output = Command::new("unshare")
            .args(["--map-root-user", program, "-q", "-r", "-R"])
            .arg(tree)
            .env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin")
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&said));
    }
    let passwd = fs::read_to_string(tree.join("etc/passwd")).unwrap();
    assert!(passwd.contains("\nada:x:1000:1000:") && !passwd.contains("\npi:"), "{passwd}");
    assert!(tree.join("home/ada/.ssh/authorized_keys").exists());
}

/// Whoever joins the networks takes what it is given.
fn networks(card: &Card) {
    let connection = |number: u8| {
        card.read(&format!(
            "/etc/NetworkManager/system-connections/imgbuild-wifi-{number}.nmconnection"
        ))
    };
    let configuration = card.read("/etc/wpa_supplicant/wpa_supplicant-wlan0.conf");
    let Some(configuration) = configuration else {
        for number in 1..=3 {
            as_it_reads(&connection(number).unwrap());
        }
        return;
    };
    assert_eq!(connection(1), None);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wpa_supplicant.conf");
    // without a socket of its own
    let configuration = configuration.replace("ctrl_interface=", "# ");
    fs::write(&path, configuration).unwrap();
    // it reads its file before it looks for the radio, which is not there
    let output = Command::new("wpa_supplicant")
        .args(["-i", "absent0", "-D", "none", "-d", "-c"])
        .arg(&path)
        .env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let networks = said.lines().filter(|line| line.contains("id=") && line.contains("ssid='"));
    assert_eq!(networks.count(), 3, "{said}");
    assert!(!said.contains("Line "), "{said}");
}

#[test]
fn bookworm_for_64_bits() {
    let masked = &["regenerate_ssh_host_keys.service", "NetworkManager-wait-online.service"];
    judge(
        &BOOKWORM_ARM64,
        &Expected { model: "pi-4", target: TARGETS[0], enabled: NETWORK_MANAGER, masked },
    );
}

#[test]
fn bookworm_for_32_bits() {
    let masked = &["regenerate_ssh_host_keys.service", "NetworkManager-wait-online.service"];
    judge(
        &BOOKWORM_ARMHF,
        &Expected { model: "pi-zero-w", target: TARGETS[2], enabled: NETWORK_MANAGER, masked },
    );
}

#[test]
fn trixie_for_32_bits() {
    let masked = &["NetworkManager-wait-online.service"];
    // whichever board: the system is made for the least of them
    judge(
        &TRIXIE_ARMHF,
        &Expected { model: "pi-3", target: TARGETS[2], enabled: NETWORK_MANAGER, masked },
    );
}

#[test]
fn bullseye_for_32_bits() {
    judge(
        &BULLSEYE_ARMHF,
        &Expected {
            model: "pi-zero-w",
            target: TARGETS[2],
            enabled: &[
                "systemd-networkd.service",
                "systemd-resolved.service",
                "wpa_supplicant@wlan0.service",
                "imgbuild-radio.service",
                "imgbuild-agent.service",
                "ssh.service",
            ],
            masked: &[
                "dhcpcd.service",
                "wpa_supplicant.service",
                "regenerate_ssh_host_keys.service",
                "resize2fs_once.service",
            ],
        },
    );
}
