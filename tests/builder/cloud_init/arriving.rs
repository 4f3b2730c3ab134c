//! What is written in a profile arrives where it is meant to, or is refused by rule.

use insta::assert_snapshot;

use super::{METHOD, as_it_reads, as_told, as_yaml, cloud_init_agrees, connections, project};
use crate::injection::{HOSTILE, quoted};
use crate::raspios::{self, setting};
use crate::support::Project;
use crate::support::judges::Court;

#[test]
fn names_and_passphrases_arrive_at_network_manager_as_they_were_written() {
    let names = HOSTILE.into_iter().filter(|name| !name.contains(';'));
    let names: Vec<&str> =
        names.chain(["Gänse 日本 🦆", "12345", "yes", "a/b", "\u{85}"]).collect();
    let (network, passphrases) = raspios::hostile_networks(&names);
    let project = project(&network);
    let card = project.build();
    let court = Court::new();
    let network_config = card.boot_file("network-config");
    cloud_init_agrees(&court, "network-config", &network_config);
    let connections = connections(&court, &network_config);
    for ((name, psk), number) in names.iter().zip(&passphrases).zip(1..) {
        let id = format!("imgbuild-wifi-{number}");
        let (_, connection) = connections.iter().find(|(name, _)| *name == id).unwrap();
        let read = as_it_reads(&court, connection);
        let told = as_told(
            &court,
            &["type", "wifi", "ssid", name, "wifi-sec.key-mgmt", "sae", "wifi-sec.psk", psk],
        );
        for key in ["ssid", "psk", "key-mgmt"] {
            assert!(setting(&told, key).is_some(), "{told}");
            assert_eq!(setting(&read, key), setting(&told, key), "{name:?} {psk:?}");
        }
        let priority = (names.len() + 1 - number).to_string();
        assert_eq!(setting(&read, "autoconnect-priority"), Some(priority.as_str()));
    }
    // nor are they seen where nobody asked for them
    let seen = project.imgbuild(&["plan", "kitchen.yaml"]);
    let boot = seen.split("\nroot /").next().unwrap();
    for psk in passphrases.iter().map(|it| it.trim()).filter(|it| it.len() > 8) {
        let escaped = quoted(psk);
        let shown = escaped.trim_matches('"');
        assert!(!boot.contains(&format!("password: \"{shown}")), "{psk}: {boot}");
    }
}

/// Each of them was seen to become another name on the way.
#[test]
fn names_that_would_not_arrive_are_refused() {
    for name in ["12;34;", "65; ", r"\\;", r"tab\tand\x01", r"new\nline", r"\x7f"] {
        let network = format!("{{ssid: \"{name}\", security: open}}");
        let wifi = format!("network: {{wifi: {{country: NL, networks: [{network}]}}}}\n");
        let seen = project(&wifi).imgbuild(&["kitchen.yaml"]);
        assert!(seen.starts_with("exit: 1\nerror[P017]: "), "{seen}");
        assert!(seen.contains("would be another name"), "{seen}");
    }
    let wifi = "network: {wifi: {country: NL, networks: [{ssid: '12;34;', security: open}]}}\n";
    assert_snapshot!(project(wifi).imgbuild(&["kitchen.yaml"]), @r#"
    exit: 1
    error[P017]: cloud-init cannot name the network "12;34;": a semicolon or a control character is read otherwise on the way
      --> kitchen.yaml:14:49
       |
    13 | first_boot: cloud-init
       |             ---------- asks for cloud-init
    14 | network: {wifi: {country: NL, networks: [{ssid: '12;34;', security: open}]}}
       |                                                 ^^^^^^^^ would be another name
       |
    help: leave out `first_boot`: then everything is written in place
    "#);
}

/// A wired network with an address of its own arrives as one that `NetworkManager` was told.
#[test]
fn an_address_of_one_s_own_arrives() {
    let card_of = |ethernet: &str| {
        let card = project(&format!("network:\n  ethernet: {{{ethernet}}}\n")).build();
        let court = Court::new();
        let network_config = card.boot_file("network-config");
        cloud_init_agrees(&court, "network-config", &network_config);
        let connections = connections(&court, &network_config);
        // two, for a name is matched by one pattern alone; what they say is the same
        let [(_, usb), (_, wired)] = connections.as_slice() else { panic!("{connections:?}") };
        assert!(usb.contains("[match]\ninterface-name=usb*;\n"), "{usb}");
        let renamed = usb.replace("netplan-usb", "netplan-wired").replace("=usb*", "=e*");
        assert_eq!(renamed.replace(",101\n", ",100\n"), *wired);
        as_it_reads(&court, wired)
    };
    let read =
        card_of("address: 192.168.1.20/24, gateway: 192.168.1.1, dns: [192.168.1.1, 'fd00::53']");
    let (ipv4, ipv6) = read.split_once("[ipv6]").unwrap();
    for line in
        ["method=manual\n", "address1=192.168.1.20/24\n", "dns=192.168.1.1;\n", "192.168.1.1"]
    {
        assert!(ipv4.contains(line), "{line}: {read}");
    }
    for line in ["method=auto\n", "dns=fd00::53;\n"] {
        assert!(ipv6.contains(line), "{line}: {read}");
    }
    let read = card_of("address: 'fd00::20/64', gateway: 'fd00::1'");
    let (ipv4, ipv6) = read.split_once("[ipv6]").unwrap();
    assert!(!ipv4.contains("method=auto"), "{read}");
    for line in ["method=manual\n", "fd00::20/64", "fd00::1"] {
        assert!(ipv6.contains(line), "{line}: {read}");
    }
    // every wired interface, whatever it is called
    assert!(read.contains("[match]\ninterface-name=e*;\n"), "{read}");
}

/// What lands in user-data is what `direct` would have written into the system's own files.
#[test]
fn the_user_is_the_one_that_direct_writes() {
    let court = Court::new();
    for (password, comment) in HOSTILE.iter().zip(HOSTILE.iter().rev()) {
        let key = format!("ssh-ed25519 AAAAC3Nz {}", comment.trim());
        let access = format!(
            "access: {{user: ada, password: {}, ssh_keys: [{}]}}\n",
            quoted(password),
            quoted(&key)
        );
        let rendered = |profile: &str| {
            let project = raspios::project(profile);
            let seen = project.imgbuild(&["render", "kitchen.yaml", "-o", "card"]);
            assert!(seen.starts_with("exit: 0\n"), "{seen}");
            project
        };
        let read = |project: &Project, path: &str| {
            std::fs::read_to_string(project.path(&format!("card/{path}"))).unwrap()
        };
        let told =
            as_yaml(&court, &read(&rendered(&format!("{METHOD}{access}")), "bootfs/user-data"));
        let direct = rendered(&access);
        let shadow = read(&direct, "rootfs/etc/shadow");
        let line = shadow.lines().find(|line| line.starts_with("ada:")).unwrap();
        let user = &told["users"][0];
        assert_eq!(user["hashed_passwd"], line.split(':').nth(1).unwrap());
        assert_eq!(user["name"], "ada");
        let keys = read(&direct, "rootfs/home/ada/.ssh/authorized_keys");
        assert_eq!(user["ssh_authorized_keys"][0], keys.trim_end());
        assert_eq!(told["write_files"][0]["content"], read(&direct, "rootfs/etc/hosts"));
        assert_eq!(told["hostname"], read(&direct, "rootfs/etc/hostname").trim_end());
        assert_eq!(told["timezone"], read(&direct, "rootfs/etc/timezone").trim_end());
        assert_eq!(told["ssh_pwauth"], false);
    }
}
