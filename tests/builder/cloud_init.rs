//! `first_boot: cloud-init`: what lies on the boot partition, judged by those who read it, in the order in which they do:
//! cloud-init's own check, netplan, `NetworkManager`, all of Debian 13.

mod arriving;
mod inspected;

use std::fmt::Write as _;

use insta::assert_snapshot;
use serde_json::Value;

use crate::raspios::{self, setting};
use crate::support::judges::Court;
use crate::support::{Card, PROFILE, Project};
use crate::wifi::WIFI;

const METHOD: &str = "first_boot: cloud-init\n";
const ACCESS: &str =
    "access: {user: ada, password: !secret pi, ssh_keys: [ssh-ed25519 AAAAC3Nz me]}\n";
/// Where netplan, asked for a folder of its own, has put connections.
const CONNECTIONS: &str = "root/run/NetworkManager/system-connections";
const READ_YAML: &str = "import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)))";

fn project(sections: &str) -> Project {
    raspios::project(&format!("{METHOD}{sections}"))
}

/// What cloud-init has against a file, of whatever `kind` it knows; nothing.
#[track_caller]
fn cloud_init_agrees(court: &Court, kind: &str, text: &str) {
    court.put(kind, text);
    let said = check(court, kind);
    assert!(said.0 && said.1.contains("Valid schema"), "{}\n{text}", said.1);
}

fn check(court: &Court, kind: &str) -> (bool, String) {
    let kind = match kind {
        "user-data" => ["cloud-config", kind],
        _ => [kind, kind],
    };
    court.ask(&["cloud-init", "schema", "--schema-type", kind[0], "--config-file", kind[1]], "")
}

/// The connections that netplan makes of a card's network, by their names, in order.
#[track_caller]
fn connections(court: &Court, network_config: &str) -> Vec<(String, String)> {
    court.put("root/etc/netplan/50-cloud-init.yaml", network_config);
    court.agrees(&["/usr/libexec/netplan/generate", "--root-dir", "root"], "");
    let files = std::fs::read_dir(court.path(CONNECTIONS)).unwrap();
    let texts = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    let mut named: Vec<_> =
        texts.map(|text| (setting(&text, "id").unwrap().to_owned(), text)).collect();
    named.sort();
    named
}

/// A connection as `NetworkManager` reads it and writes it again.
fn as_it_reads(court: &Court, connection: &str) -> String {
    court.agrees(
        &["nmcli", "--offline", "connection", "modify", "connection.id", "judged"],
        connection,
    )
}

/// A connection as `NetworkManager` writes what it is told.
fn as_told(court: &Court, settings: &[&str]) -> String {
    court.agrees(&[&["nmcli", "--offline", "connection", "add"], settings].concat(), "")
}

/// A document as cloud-init's own parser reads it.
fn as_yaml(court: &Court, text: &str) -> Value {
    serde_json::from_str(&court.agrees(&["python3", "-c", READ_YAML], text)).unwrap()
}

#[test]
fn the_boot_partition_tells_all_and_the_system_stays_as_it_is() {
    let card = project(&format!("{WIFI}{ACCESS}")).build();
    let court = Court::new();
    let user_data = card.boot_file("user-data");
    cloud_init_agrees(&court, "user-data", &user_data);
    let network_config = card.boot_file("network-config");
    cloud_init_agrees(&court, "network-config", &network_config);
    assert_snapshot!(format!("--- user-data\n{user_data}--- network-config\n{network_config}"));
    let mut made = String::new();
    for (name, connection) in connections(&court, &network_config) {
        as_it_reads(&court, &connection);
        writeln!(made, "--- {name}\n{connection}").unwrap();
    }
    assert_snapshot!("what_netplan_makes_of_it", made);

    // a check that takes anything proves nothing
    court.put("user-data", &user_data.replace("ssh_pwauth: false", "ssh_pwauth: [no]"));
    assert!(!check(&court, "user-data").0);
    court.put("network-config", &network_config.replace("sae", "say"));
    assert!(!check(&court, "network-config").0);

    stays(&card);
    card.fsck();
}

/// What `direct` writes into the system is not there.
fn stays(card: &Card) {
    assert_eq!(card.read("/etc/hostname").as_deref(), Some("localhost\n"));
    let passwd = card.read("/etc/passwd").unwrap();
    assert!(passwd.contains("pi:x:1000:1000:") && !passwd.contains("ada"), "{passwd}");
    for path in [
        "/etc/cloud/cloud-init.disabled",
        "/etc/NetworkManager/system-connections",
        "/etc/timezone",
        "/etc/default/keyboard",
        "/etc/locale.conf",
        "/etc/sudoers.d",
        "/home/ada",
    ] {
        assert_eq!(card.stat(path), None, "{path}");
    }
    assert_eq!(card.link("/etc/localtime").as_deref(), Some("/usr/share/zoneinfo/UTC"));
    // what is no setting of the system's is in place
    let wanted = "/etc/systemd/system/multi-user.target.wants";
    for unit in
        ["ssh.service", "NetworkManager.service", "imgbuild-radio.service", "imgbuild-grow.service"]
    {
        assert!(card.link(&format!("{wanted}/{unit}")).is_some(), "{unit}");
    }
    assert!(card.stat("/etc/imgbuild/credentials/password").is_some());
    for name in ["user-data", "network-config", "meta-data", "cmdline.txt"] {
        let text = card.boot_file(name);
        for secret in ["canary-mqtt", "canary-key", "canary-login"] {
            assert!(!text.contains(secret), "{name}: {text}");
        }
    }
}

/// cloud-init reads its settings from many files, the base's among them.
#[test]
fn cloud_init_s_own_settings_go_together_with_the_base_s() {
    let card = project("").build();
    let court = Court::new();
    let ours = card.read("/etc/cloud/cloud.cfg.d/zz-imgbuild.cfg").unwrap();
    court.put("cloud.cfg", "system_info: {distro: debian, network: {activators: [netplan]}}\n");
    court.put("cloud.cfg.d/zz-imgbuild.cfg", &ours);
    court.put("cloud.cfg.d/99_raspberry-pi.cfg", "datasource_list: [Ec2]\nssh_deletekeys: false\n");
    let script = "import json; from cloudinit import util; print(json.dumps(util.read_conf_with_confd('cloud.cfg')))";
    let read: Value = serde_json::from_str(&court.agrees(&["python3", "-c", script], "")).unwrap();
    assert_eq!(read["system_info"]["distro"], "debian");
    assert_eq!(read["system_info"]["network"]["activators"], serde_json::json!(["netplan"]));
    assert_eq!(read["system_info"]["network"]["renderers"], serde_json::json!(["netplan"]));
    assert_eq!(read["datasource_list"], serde_json::json!(["NoCloud", "None"]));
    assert_eq!(read["ssh_deletekeys"], false);
    let unit = card.read("/etc/systemd/system/cloud-init-local.service.d/imgbuild.conf").unwrap();
    assert!(unit.ends_with("[Unit]\nRequiresMountsFor=/boot/firmware\n"), "{unit}");
}

/// The two lists of a user's groups are one.
#[test]
fn the_user_is_in_the_same_groups_as_with_direct() {
    let list = |overlay: &str| {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../overlays");
        let text = std::fs::read_to_string(folder.join(overlay)).unwrap();
        let line = text.lines().find_map(|line| line.trim().strip_prefix("groups: ["));
        line.unwrap().to_owned()
    };
    assert_eq!(list("cloud-init/bootfs/user-data.j2"), list("access/overlay.yaml"));
}

#[test]
fn without_access_nobody_logs_in() {
    let card = project("").build();
    let court = Court::new();
    let user_data = card.boot_file("user-data");
    cloud_init_agrees(&court, "user-data", &user_data);
    assert_eq!(as_yaml(&court, &user_data)["users"], serde_json::json!([]));
    let shadow = card.read("/etc/shadow").unwrap();
    assert!(
        shadow.lines().all(|line| line.split(':').nth(1).unwrap().starts_with(['!', '*'])),
        "{shadow}"
    );
    assert_eq!(card.link("/etc/systemd/system/ssh.service").as_deref(), Some("/dev/null"));
    // a key alone: SSH, and sudo without a password
    let card = project("access: {user: ada, ssh_keys: [ssh-ed25519 AAAAC3Nz me]}\n").build();
    let user_data = card.boot_file("user-data");
    cloud_init_agrees(&court, "user-data", &user_data);
    let told = as_yaml(&court, &user_data);
    assert_eq!(told["users"][0]["lock_passwd"], true);
    assert_eq!(told["users"][0]["sudo"][0], "ALL=(ALL:ALL) NOPASSWD: ALL");
}

#[test]
fn a_host_name_with_a_domain_stays_whole() {
    let profile = format!("{PROFILE}{METHOD}")
        .replace("id: greenhouse-01,", "id: greenhouse-01, hostname: a.example.org,");
    let project = project("");
    project.write("kitchen.yaml", &profile);
    let card = project.build();
    let court = Court::new();
    let user_data = card.boot_file("user-data");
    cloud_init_agrees(&court, "user-data", &user_data);
    let told = as_yaml(&court, &user_data);
    assert_eq!(told["hostname"], "a.example.org");
    assert_eq!(told["prefer_fqdn_over_hostname"], true);
    let hosts = told["write_files"][0]["content"].as_str().unwrap();
    assert!(hosts.contains("127.0.1.1\ta.example.org a\n"), "{hosts}");
}

/// Debian's `locale-gen` takes no argument: what cloud-init asks of it is not there unless the file has it.
#[test]
fn a_language_is_one_that_can_be_generated() {
    let told = |profile: &str| {
        let project = project("");
        project.write("kitchen.yaml", profile);
        let user_data = project.build().boot_file("user-data");
        let court = Court::new();
        cloud_init_agrees(&court, "user-data", &user_data);
        as_yaml(&court, &user_data)
    };
    let profile = format!("{PROFILE}{METHOD}");
    let other = profile.replace("id: greenhouse-01,", "id: greenhouse-01, locale: en_GB.UTF-8,");
    let user_data = told(&other);
    assert_eq!(user_data["locale"], "en_GB.UTF-8");
    assert_eq!(user_data["write_files"][1]["path"], "/etc/locale.gen");
    assert_eq!(user_data["write_files"][1]["content"], "en_GB.UTF-8 UTF-8\n");
    // this one is there
    assert!(told(&profile)["write_files"][1].is_null());
}

/// What cloud-init takes out of a kernel's command line.
const READ_LINE: &str = "import json, sys; from cloudinit.sources import DataSourceNoCloud as it; \
    told = {}; it.load_cmdline_data(told, sys.stdin.read()); print(json.dumps(told))";

/// The name by which cloud-init knows the device from others: the same at both places where it looks, or it would take
/// the device for a new one at each start.
fn instance_id(sections: &str) -> String {
    let card = project(sections).build();
    let court = Court::new();
    let id = as_yaml(&court, &card.boot_file("meta-data"))["instance-id"].clone();
    let line = card.boot_file("cmdline.txt");
    assert!(!line.contains('\n'), "{line}");
    let told = court.agrees(&["python3", "-c", READ_LINE], &line);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["instance-id"], id, "{line}");
    id.as_str().unwrap().to_owned()
}

#[test]
fn other_settings_are_another_instance_and_the_same_are_the_same() {
    let first = instance_id(&format!("{WIFI}{ACCESS}"));
    assert_eq!(first, instance_id(&format!("{WIFI}{ACCESS}")));
    let mut seen = vec![first];
    for (from, to) in [
        ("Lab", "Lob"),
        ("!secret wifi.lab", "another passphrase"),
        ("!secret pi", "another password"),
        ("me]", "you]"),
        ("country: NL", "country: DE"),
        (", hidden: true", ""),
    ] {
        seen.push(instance_id(&format!("{WIFI}{ACCESS}").replace(from, to)));
    }
    seen.push(instance_id(&format!("{ACCESS}{WIFI}  ethernet: {{address: 192.168.1.20/24}}\n")));
    let all = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), all, "{seen:?}");
}

#[test]
fn a_plan_says_what_it_means_and_shows_no_secret() {
    let project = project(&format!("{WIFI}{ACCESS}"));
    let seen = project.imgbuild(&["plan", "kitchen.yaml"]);
    let reasons = seen.lines().skip(2).take_while(|line| !line.is_empty());
    assert_snapshot!(reasons.collect::<Vec<_>>().join("\n"));
    assert!(!seen.contains("canary") && !seen.contains("$6$"), "{seen}");
    for shown in [
        "‹secret wifi.home›",
        "‹secret wifi.lab›",
        "‹secret pi›",
        "instance-id: ‹from all settings›",
    ] {
        assert!(seen.contains(shown), "{shown}: {seen}");
    }
    // what has a name that comes of secrets has no hash either
    let seen = project.imgbuild(&["kitchen.yaml"]);
    assert!(seen.starts_with("exit: 0\n"), "{seen}");
    let manifest = std::fs::read_to_string(project.path("kitchen.img.manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    for path in ["/user-data", "/network-config", "/meta-data", "/cmdline.txt"] {
        let operations = manifest["operations"].as_array().unwrap();
        let row = operations.iter().find(|row| row["path"] == path).unwrap();
        assert!(row["secret"] == true && row["sha256"].is_null(), "{row}");
    }
}

#[test]
fn a_base_that_lacks_what_it_takes_is_told() {
    let mut seen = Project::with(&format!("{PROFILE}{METHOD}")).imgbuild(&["kitchen.yaml"]);
    for lacking in ["/usr/sbin/netplan", "/usr/sbin/NetworkManager"] {
        let project = Project::with(&format!("{PROFILE}{METHOD}"));
        let files = raspios::RASPIOS.iter().filter(|(path, _)| *path != lacking);
        project.base_with(&files.copied().collect::<Vec<_>>(), &[]);
        seen += &project.imgbuild(&["kitchen.yaml"]);
        assert_eq!(project.left_over(), Vec::<String>::new());
    }
    // there, and kept from starting, as it is on our own cards
    let project = Project::with(&format!("{PROFILE}{METHOD}"));
    let disabled = ("/etc/cloud/cloud-init.disabled", "");
    project.base_with(&[&raspios::RASPIOS[..], &[disabled]].concat(), &[]);
    seen += &project.imgbuild(&["kitchen.yaml"]);
    assert_snapshot!(seen);
}
