//! Who can log in, and who cannot.

use crate::support::{PROFILE, Project};

fn with(access: &str) -> Project {
    Project::with(&format!("{PROFILE}{access}"))
}

#[test]
fn without_access_nobody_can_log_in() {
    let card = Project::new().build();
    let shadow = card.read("/etc/shadow").unwrap();
    let open = |line: &&str| !line.split(':').nth(1).unwrap().starts_with(['!', '*']);
    assert_eq!(shadow.lines().find(open), None);
    assert_eq!(card.link("/etc/systemd/system/ssh.service").as_deref(), Some("/dev/null"));
    assert_eq!(card.link("/etc/systemd/system/ssh.socket").as_deref(), Some("/dev/null"));
}

#[test]
fn a_user_with_keys_has_a_home_and_ssh_and_no_password() {
    let card = with("access: {user: pi, ssh_keys: [ssh-ed25519 AAAAC3Nz me]}\n").build();
    assert!(card.read("/etc/passwd").unwrap().contains("\npi:x:1000:1000::/home/pi:/bin/bash\n"));
    assert!(card.read("/etc/shadow").unwrap().contains("\npi:!*:"));
    assert!(card.read("/etc/shadow").unwrap().starts_with("root:!$6$"), "root is locked");
    for group in ["sudo", "adm"] {
        let groups = card.read("/etc/group").unwrap();
        assert!(
            groups
                .lines()
                .any(|line| line.starts_with(&format!("{group}:")) && line.ends_with(":pi")),
            "{groups}"
        );
    }
    for (path, mode) in [
        ("/home/pi", "0700"),
        ("/home/pi/.ssh", "0700"),
        ("/home/pi/.ssh/authorized_keys", "0600"),
        ("/home/pi/.bashrc", "0644"),
    ] {
        let stat = card.stat(path).unwrap();
        assert_eq!((stat.mode.as_str(), stat.owner), (mode, (1000, 1000)), "{path}");
    }
    assert_eq!(card.read("/home/pi/.ssh/authorized_keys").unwrap(), "ssh-ed25519 AAAAC3Nz me\n");
    assert!(
        card.read("/etc/ssh/sshd_config.d/10-imgbuild.conf")
            .unwrap()
            .contains("PasswordAuthentication no")
    );
    assert!(card.link("/etc/systemd/system/multi-user.target.wants/ssh.service").is_some());
    assert!(
        card.read("/etc/sudoers.d/zz-imgbuild").unwrap().contains("pi ALL=(ALL:ALL) NOPASSWD: ALL")
    );
    assert_eq!(card.stat("/etc/sudoers.d/zz-imgbuild").unwrap().mode, "0440");
    card.fsck();
}

#[test]
fn a_password_is_on_the_card_as_its_hash_alone_and_opens_no_ssh() {
    let card = with("access: {user: pi, password: !secret pi}\n").build();
    let shadow = card.read("/etc/shadow").unwrap();
    assert!(
        shadow.contains("\npi:$6$rounds=5000$") && !shadow.contains("canary-login"),
        "{shadow}"
    );
    assert_eq!(card.link("/etc/systemd/system/ssh.service").as_deref(), Some("/dev/null"));
    let image = card.bytes();
    let password = b"canary-login-password";
    assert!(!image.windows(password.len()).any(|window| window == password));
}

#[test]
fn the_hashes_of_passwords_are_for_those_who_could_read_them_in_the_base() {
    let card =
        Project::with(&format!("{PROFILE}access: {{user: pi, password: !secret pi}}\n")).build();
    for path in ["/etc/shadow", "/etc/gshadow"] {
        let stat = card.stat(path).unwrap();
        assert_eq!((stat.mode.as_str(), stat.owner), ("0640", (0, 42)), "{path}");
    }
    assert_eq!(card.stat("/etc/passwd").unwrap().mode, "0644");
}
