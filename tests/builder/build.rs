//! A card is what its profile says, and for the rest what its base is.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;

use crate::support::{Card, Fixture, Project};

#[test]
fn a_card_has_its_names_its_agent_and_its_credentials() {
    let card = Project::new().build();
    card.fsck();
    assert_eq!(card.read("/etc/hostname").unwrap(), "greenhouse-01\n");
    assert!(card.read("/etc/hosts").unwrap().contains("127.0.1.1\tgreenhouse-01\n"));
    assert_eq!(card.link("/etc/localtime").unwrap(), "/usr/share/zoneinfo/Europe/Amsterdam");
    assert!(card.read("/etc/default/keyboard").unwrap().contains("XKBLAYOUT=\"gb\""));
    assert_eq!(card.read("/usr/bin/imgbuild-agent").unwrap().len(), 200_000);
    assert_eq!(card.stat("/usr/bin/imgbuild-agent").unwrap().mode, "0755");
    let profile = card.read("/etc/imgbuild/profile.yaml").unwrap();
    assert!(
        profile.contains("topic: greenhouse-01/air") && !profile.contains("canary"),
        "{profile}"
    );
}

#[test]
fn credentials_can_be_read_by_the_agent_alone() {
    let project = Project::new();
    let card = project.build();
    let passwd = card.read("/etc/passwd").unwrap();
    let agent = passwd.lines().find(|line| line.starts_with("imgbuild:")).unwrap();
    // 999 is taken by a group, 998 by a user, and 997 is the bus's group
    assert_eq!(agent, "imgbuild:x:996:996::/var/lib/imgbuild:/usr/sbin/nologin");
    assert!(card.read("/etc/shadow").unwrap().contains("\nimgbuild:!*:"));
    let folder = card.stat("/etc/imgbuild/credentials").unwrap();
    assert_eq!((folder.mode.as_str(), folder.owner), ("0700", (996, 996)));
    for name in ["ca.pem", "certificate.pem", "private-key.pem", "password"] {
        let stat = card.stat(&format!("/etc/imgbuild/credentials/{name}")).unwrap();
        assert_eq!((stat.mode.as_str(), stat.owner), ("0600", (996, 996)), "{name}");
    }
    assert_eq!(card.read("/etc/imgbuild/credentials/password").unwrap(), "canary-mqtt-password");
    let mode = card.image().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "the image holds keys");
}

#[test]
fn the_sensor_s_bus_is_on_for_every_board_and_the_command_line_stays_one_line() {
    let card = Project::new().build();
    assert_eq!(
        card.boot_file("config.txt"),
        "arm_64bit=1\n[pi5]\nkernel=other\n[all]\ndtparam=i2c_arm=on\n"
    );
    assert_eq!(card.boot_file("cmdline.txt"), "console=tty1 root=PARTUUID=12345678-02 rootwait");
    assert_eq!(card.read("/etc/modules-load.d/imgbuild-i2c.conf").unwrap(), "i2c-dev\n");
    assert!(
        card.read("/etc/group")
            .unwrap()
            .lines()
            .any(|line| line.starts_with("i2c:x:") && line.ends_with(":imgbuild"))
    );
}

#[test]
fn units_are_enabled_and_masked() {
    let card = Project::new().build();
    for (wants, unit) in [
        ("sysinit.target.wants", "imgbuild-agent.service"),
        ("multi-user.target.wants", "systemd-networkd.service"),
        ("multi-user.target.wants", "imgbuild-grow.service"),
    ] {
        let target = card.link(&format!("/etc/systemd/system/{wants}/{unit}"));
        assert_eq!(target, Some(format!("/usr/lib/systemd/system/{unit}")));
    }
    for unit in ["ssh.service", "systemd-networkd-wait-online.service"] {
        let target = card.link(&format!("/etc/systemd/system/{unit}"));
        assert_eq!(target.as_deref(), Some("/dev/null"), "{unit}");
    }
}

#[test]
fn what_no_overlay_writes_is_as_in_the_base() {
    let project = Project::new();
    let card = project.build();
    let (before, after) = (Card::new(Fixture::get().image().to_owned()).listing(), card.listing());
    let changed: BTreeSet<&str> = after
        .iter()
        .filter(|(path, what)| before.get(*path) != Some(what))
        .map(|(path, _)| path.as_str())
        .collect();
    let planned = |path: &str| {
        [
            "/etc/",
            "/var/.updated",
            "/usr/bin/imgbuild-agent",
            "/usr/lib/imgbuild",
            "/usr/lib/systemd/system/imgbuild-",
            "/usr/lib/udev",
        ]
        .iter()
        .any(|start| path.starts_with(start))
    };
    assert!(changed.iter().all(|path| planned(path)), "{changed:?}");
    assert!(before.keys().all(|path| after.contains_key(path)), "something is gone");
    for untouched in ["/etc/fstab", "/etc/os-release", "/etc/skel/.bashrc"] {
        assert!(!changed.contains(untouched), "{untouched}");
    }
}

#[test]
fn a_finished_image_replaces_an_older_one() {
    let project = Project::new();
    project.write("kitchen.img", "an older one");
    project.build().fsck();
    assert_eq!(project.left_over(), ["kitchen.img"]);
}
