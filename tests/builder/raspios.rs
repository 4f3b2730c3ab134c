//! A base like Raspberry Pi OS: `NetworkManager` runs the network, cloud-init and a wizard wait for the first start, and an
//! account waits to be renamed. What is written for each is judged by the program that reads it.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use insta::assert_snapshot;

use crate::injection::{HOSTILE, quoted};
use crate::support::{Card, PROFILE, Project, fed, run};
use crate::wifi::WIFI;

const CONNECTIONS: &str = "/etc/NetworkManager/system-connections";

/// What makes the small base like Raspberry Pi OS on Debian 13.
pub(crate) const RASPIOS: [(&str, &str); 10] = [
    ("/usr/sbin/NetworkManager", "x"),
    (
        "/usr/lib/systemd/system/NetworkManager.service",
        "[Install]\nWantedBy=multi-user.target\nAlso=NetworkManager-wait-online.service\n",
    ),
    ("/usr/bin/cloud-init", "x"),
    ("/usr/sbin/netplan", "x"),
    ("/usr/lib/systemd/system/userconfig.service", "[Install]\nWantedBy=multi-user.target\n"),
    ("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\npi:x:1000:1000:,,,:/home/pi:/bin/bash\n"),
    ("/etc/shadow", "root:*:20000:0:99999:7:::\npi:!:20000:0:99999:7:::\n"),
    ("/etc/group", "root:x:0:\nadm:x:4:pi\nsudo:x:27:other,pi\ngpio:x:986:pi\npi:x:1000:\n"),
    ("/etc/gshadow", "root:*::\nadm:*::pi\nsudo:*::other,pi\ngpio:!::pi\npi:!::\n"),
    ("/home/pi/.bashrc", "# a shell's\n"),
];

/// What the small base has and Raspberry Pi OS, of one release or another, has not.
const LEFT_OUT: [&str; 2] =
    ["/usr/lib/systemd/systemd-resolved", "/usr/lib/systemd/system/sshd-keygen.service"];

pub(crate) fn project(sections: &str) -> Project {
    let project = Project::with(&format!("{PROFILE}{sections}"));
    project.base_with(&RASPIOS, &LEFT_OUT);
    project
}

fn card(sections: &str) -> Card {
    project(sections).build()
}

/// What `NetworkManager` makes of its offline editor's input: a connection as it writes it itself.
fn nmcli(arguments: &[&str], connection: &str) -> String {
    let mut command = Command::new("nmcli");
    let output = fed(command.args(["--offline", "connection"]).args(arguments), connection);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{connection}", text(&output.stderr));
    text(&output.stdout)
}

/// A connection as `NetworkManager` reads it and writes it again.
pub(crate) fn as_it_reads(connection: &str) -> String {
    nmcli(&["modify", "connection.id", "judged"], connection)
}

/// One setting of a connection that `NetworkManager` wrote.
pub(crate) fn setting<'a>(connection: &'a str, key: &str) -> Option<&'a str> {
    connection.lines().find_map(|line| line.strip_prefix(&format!("{key}=")))
}

#[test]
fn connections_are_written_as_network_manager_takes_them() {
    let card = card(WIFI);
    let mut written = String::new();
    for name in ["ethernet", "wifi-1", "wifi-2", "wifi-3"] {
        let path = format!("{CONNECTIONS}/imgbuild-{name}.nmconnection");
        let stat = card.stat(&path).unwrap();
        assert_eq!((stat.mode.as_str(), stat.owner), ("0600", (0, 0)), "{path}");
        let connection = card.read(&path).unwrap();
        as_it_reads(&connection);
        writeln!(written, "--- {name}\n{connection}").unwrap();
    }
    assert_snapshot!(written);
    assert!(card.boot_file("cmdline.txt").ends_with("cfg80211.ieee80211_regdom=NL"));
    let wanted = "/etc/systemd/system/multi-user.target.wants";
    for unit in ["NetworkManager.service", "imgbuild-radio.service"] {
        assert!(card.link(&format!("{wanted}/{unit}")).is_some(), "{unit}");
    }
    for unit in ["systemd-networkd.service", "wpa_supplicant@wlan0.service"] {
        assert_eq!(card.link(&format!("{wanted}/{unit}")), None);
    }
    let state = card.read("/var/lib/NetworkManager/NetworkManager.state").unwrap();
    assert!(state.contains("WirelessEnabled=true"), "{state}");
    card.fsck();
}

/// A section with networks of these names, and their passphrases, which are no tamer.
pub(crate) fn hostile_networks(names: &[impl AsRef<str>]) -> (String, Vec<String>) {
    let passphrases: Vec<String> =
        HOSTILE.iter().cycle().map(|it| format!("{it:8}")).take(names.len()).collect();
    let networks = names.iter().zip(&passphrases).map(|(name, psk)| {
        let (name, psk) = (quoted(name.as_ref()), quoted(psk));
        format!("      - {{ssid: {name}, security: wpa3, psk: {psk}}}\n")
    });
    let networks: String = networks.collect();
    (format!("network:\n  wifi:\n    country: NL\n    networks:\n{networks}"), passphrases)
}

/// What a user would give to `NetworkManager` itself arrives in the same form.
#[test]
fn names_and_passphrases_arrive_at_network_manager_as_they_were_written() {
    let names = HOSTILE.map(str::to_owned).into_iter().chain([
        "Gänse 日本 🦆".to_owned(),
        "tab\tand\u{1}".to_owned(),
        "12;34;".to_owned(),
    ]);
    let names: Vec<String> = names.collect();
    let (network, passphrases) = hostile_networks(&names);
    let card = card(&network);
    for ((name, psk), number) in names.iter().zip(&passphrases).zip(1..) {
        let path = format!("{CONNECTIONS}/imgbuild-wifi-{number}.nmconnection");
        let read = as_it_reads(&card.read(&path).unwrap());
        let told = nmcli(
            &["add", "type", "wifi", "ssid", name, "wifi-sec.key-mgmt", "sae", "wifi-sec.psk", psk],
            "",
        );
        for key in ["ssid", "psk"] {
            assert!(setting(&told, key).is_some(), "{told}");
            assert_eq!(setting(&read, key), setting(&told, key), "{name:?} {psk:?}");
        }
    }
}

#[test]
fn a_wired_network_with_an_address_of_its_own_is_as_network_manager_takes_it() {
    let told = |arguments: &[&str]| {
        let given = ["add", "type", "ethernet", "ifname", "*"];
        nmcli(&[&given, arguments].concat(), "")
    };
    let card_of = |ethernet: &str| {
        let card = card(&format!("network:\n  ethernet: {{{ethernet}}}\n"));
        as_it_reads(&card.read(&format!("{CONNECTIONS}/imgbuild-ethernet.nmconnection")).unwrap())
    };
    let read =
        card_of("address: 192.168.1.20/24, gateway: 192.168.1.1, dns: [192.168.1.1, 'fd00::53']");
    let told_4 = told(&[
        "ipv4.method",
        "manual",
        "ipv4.addresses",
        "192.168.1.20/24",
        "ipv4.gateway",
        "192.168.1.1",
        "ipv4.dns",
        "192.168.1.1",
    ]);
    for key in ["address1", "dns", "method"] {
        assert_eq!(setting(&read, key), setting(&told_4, key), "{read}\n{told_4}");
    }
    assert!(read.contains("dns=fd00::53;"), "{read}");
    let read = card_of("address: 'fd00::20/64', gateway: 'fd00::1'");
    let (ipv4, ipv6) = read.split_once("[ipv6]").unwrap();
    assert!(ipv4.contains("method=disabled"), "{read}");
    assert!(ipv6.contains("fd00::20/64") && ipv6.contains("fd00::1"), "{read}");
}

#[test]
fn the_base_s_own_first_start_is_disarmed() {
    let project =
        project("access: {user: ada, password: !secret pi, ssh_keys: [ssh-ed25519 AAAAC3Nz me]}\n");
    resize(&project);
    let card = project.build();
    assert_eq!(card.read("/etc/cloud/cloud-init.disabled").as_deref(), Some(""));
    assert_eq!(card.link("/etc/systemd/system/userconfig.service").as_deref(), Some("/dev/null"));
    let line = card.boot_file("cmdline.txt");
    assert!(!line.contains("resize") && !line.ends_with('\n'), "{line:?}");
    // the waiting account has the user's name, and all that it had
    let passwd = card.read("/etc/passwd").unwrap();
    assert!(passwd.contains("\nada:x:1000:1000:,,,:/home/ada:/bin/bash\n"), "{passwd}");
    assert!(!passwd.contains("pi:"), "{passwd}");
    let group = card.read("/etc/group").unwrap();
    for line in ["adm:x:4:ada\n", "sudo:x:27:other,ada\n", "gpio:x:986:ada\n", "ada:x:1000:\n"] {
        assert!(group.contains(line), "{group}");
    }
    let gshadow = card.read("/etc/gshadow").unwrap();
    assert!(gshadow.contains("sudo:*::other,ada\n") && gshadow.contains("ada:!::\n"), "{gshadow}");
    let shadow = card.read("/etc/shadow").unwrap();
    assert!(shadow.contains("\nada:$6$") && !shadow.contains("pi:"), "{shadow}");
    assert_eq!(card.stat("/home/ada").unwrap().owner, (1000, 1000));
    assert!(
        card.link("/etc/systemd/system/ssh.service.wants/imgbuild-host-keys.service").is_some()
    );
    card.fsck();
}

/// As on Raspberry Pi OS 11, where somebody installed `NetworkManager` beside what the image has.
#[test]
fn dhcpcd_does_not_stand_beside_network_manager() {
    let project = Project::new();
    let dhcpcd =
        [("/usr/lib/systemd/system/dhcpcd.service", "[Install]\nWantedBy=multi-user.target\n")];
    let masked = || project.build().link("/etc/systemd/system/dhcpcd.service");
    project.base_with(&[&RASPIOS[..], &dhcpcd].concat(), &[]);
    assert_eq!(masked().as_deref(), Some("/dev/null"));
    project.base_with(&RASPIOS, &[]);
    assert_eq!(masked(), None);
}

/// Adds the word by which Raspberry Pi OS grows its root file system.
fn resize(project: &Project) {
    let base = project.path("base.img");
    let boot = format!("{}@@{}", base.display(), 16_384 * 512);
    let line = project.path("line");
    let line_path: &Path = &line;
    run(
        "mcopy",
        &["-n".as_ref(), "-i".as_ref(), boot.as_ref(), "::cmdline.txt".as_ref(), line_path],
    );
    let text = std::fs::read_to_string(&line).unwrap().trim_end().to_owned() + " resize\n";
    std::fs::write(&line, text).unwrap();
    run(
        "mcopy",
        &["-o".as_ref(), "-i".as_ref(), boot.as_ref(), line_path, "::cmdline.txt".as_ref()],
    );
    std::fs::remove_file(&line).unwrap();
}

#[test]
fn wpa_supplicant_takes_the_network_over_where_it_is_asked_for() {
    let card = card(&WIFI.replace("country: NL", "country: NL\n    backend: wpa_supplicant"));
    let wanted = "/etc/systemd/system/multi-user.target.wants";
    for unit in ["systemd-networkd.service", "wpa_supplicant@wlan0.service", "imgbuild-names.path"]
    {
        assert!(card.link(&format!("{wanted}/{unit}")).is_some(), "{unit}");
    }
    let masked = card.link("/etc/systemd/system/NetworkManager.service");
    assert_eq!(masked.as_deref(), Some("/dev/null"));
    assert_eq!(card.stat(CONNECTIONS), None);
    // nothing else writes name servers there
    assert_eq!(card.link("/etc/resolv.conf").as_deref(), Some("../run/imgbuild-names/resolv.conf"));
    card.fsck();
}

#[test]
fn network_manager_is_not_to_be_had_where_it_is_not() {
    let wifi = WIFI.replace("country: NL", "country: NL\n    backend: network-manager");
    let project = Project::with(&format!("{PROFILE}{wifi}"));
    assert_snapshot!(project.imgbuild(&["kitchen.yaml"]));
}

#[test]
fn a_plan_says_what_follows_from_the_base() {
    // one whose escaped form is another text
    let wifi = WIFI.replace("!secret wifi.lab", r"'canary \ secret'");
    assert_ne!(wifi, WIFI);
    let project = project(&wifi);
    resize(&project);
    let seen = project.imgbuild(&["plan", "kitchen.yaml"]);
    let reasons = seen.lines().skip(2).take_while(|line| !line.is_empty());
    assert_snapshot!(reasons.collect::<Vec<_>>().join("\n"));
    assert!(!seen.contains("canary"), "{seen}");
}

#[test]
fn a_base_tells_what_it_is_and_what_follows() {
    let project = Project::new();
    let path = |name: &str| format!("/usr/lib/modules/6.12.47+rpt-rpi-v8/{name}");
    let (apart, inside) = (path("modules.dep"), path("modules.builtin"));
    let more = [
        (
            "/etc/rpi-issue",
            "\nRaspberry Pi reference 2025-10-01\nGenerated using\u{1b}[31m pi-gen\n",
        ),
        (apart.as_str(), "kernel/drivers/net/wireless/brcmfmac.ko.xz: kernel/a.ko.xz\n"),
        (inside.as_str(), "kernel/drivers/i2c/i2c-dev.ko\n"),
    ];
    project.base_with(&[&RASPIOS[..], &more].concat(), &LEFT_OUT);
    resize(&project);
    assert_snapshot!(project.imgbuild(&["base", "inspect", "base.img"]));
    let json = project.command(&["base", "inspect", "base.img", "--format=json"]).output().unwrap();
    let found: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(found["reference"], "Raspberry Pi reference 2025-10-01");
    assert_eq!(found["kernels"][0]["drivers"], serde_json::json!(["brcmfmac", "i2c-dev"]));
    let consequences = found["consequences"].as_array().unwrap();
    assert!(consequences[0].as_str().unwrap().starts_with("NetworkManager runs the network"));
    assert_eq!(consequences.len(), 4);
}

#[test]
fn a_base_without_wifi_or_without_any_network_is_told() {
    let project = Project::new();
    let consequences = |without: &[&str]| {
        project.base_with(&[], without);
        let seen = project.imgbuild(&["base", "inspect", "base.img"]);
        seen.split_once("\nso ").unwrap().1.trim().to_owned()
    };
    assert_snapshot!(consequences(&["/usr/sbin/wpa_supplicant"]));
    assert_snapshot!(consequences(&["/usr/lib/systemd/systemd-networkd"]));
}

#[test]
fn an_inspection_tells_the_country_that_the_kernel_is_told() {
    let project = project(WIFI);
    project.build();
    let seen = project.imgbuild(&["inspect", "kitchen.img"]);
    let line = seen.lines().find(|line| line.starts_with("wifi ")).unwrap();
    assert!(line.ends_with(" (in NL)"), "{seen}");
}

#[test]
fn a_sensor_that_the_kernel_cannot_reach_is_told() {
    let project = Project::new();
    let kernel = |modules: &str| {
        let path = |name: &str| format!("/usr/lib/modules/6.12/{name}");
        let (dep, builtin) = (path("modules.dep"), path("modules.builtin"));
        project.base_with(&[(dep.as_str(), modules), (builtin.as_str(), "")], &[]);
        project.imgbuild(&["plan", "kitchen.yaml"])
    };
    assert_snapshot!(kernel("kernel/fs/vfat.ko.xz: kernel/drivers/i2c/i2c-dev.ko.xz\n"));
    let seen = kernel("kernel/drivers/i2c/i2c-dev.ko.xz:\n");
    assert!(seen.starts_with("exit: 0\n"), "{seen}");
}

/// sudo and SSH say themselves whether they take what is written for them.
#[test]
fn sudo_and_ssh_take_their_files() {
    let card = card("access: {user: ada, ssh_keys: [ssh-ed25519 AAAAC3Nz me]}\n");
    judge_sudo_and_ssh(&card);
}

/// Both take what a card has for them.
pub(crate) fn judge_sudo_and_ssh(card: &Card) {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let sudoers = put("sudoers", &card.read("/etc/sudoers.d/zz-imgbuild").unwrap());
    run("visudo", &["-c".as_ref(), "-f".as_ref(), &sudoers]);
    let odd = put("odd", "ada ALL=(ALL ALL\n");
    let refused = Command::new("visudo").args(["-c", "-f"]).arg(&odd).output();
    assert!(refused.is_ok_and(|output| !output.status.success()), "visudo takes anything");
    let key = folder.path().join("key");
    let arguments = ["-q", "-t", "ed25519", "-N", "", "-f"].map(Path::new);
    run("ssh-keygen", &[&arguments[..], &[&key]].concat());
    let settings = card.read("/etc/ssh/sshd_config.d/10-imgbuild.conf").unwrap();
    let settings = put("sshd_config", &format!("HostKey {}\n{settings}", key.display()));
    // it wants a folder that the running system has, or has not
    let script = "mount -t tmpfs none /run; mkdir /run/sshd; exec /usr/sbin/sshd -T -f \"$1\"";
    let namespace = ["--map-root-user", "--mount", "sh", "-euc", script, "sh"].map(Path::new);
    let effective = run("unshare", &[&namespace[..], &[&settings]].concat());
    for line in ["passwordauthentication no", "permitrootlogin no"] {
        assert!(effective.lines().any(|it| it == line), "{effective}");
    }
}
