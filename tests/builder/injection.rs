//! Names and secrets that would mean something to whoever reads the files in which they land. Each arrives as it
//! was written, as the program says that is going to read it, or is refused by rule.

use std::path::Path;
use std::process::Command;

use crate::support::{PROFILE, Project, run};

/// Texts with what means something to a shell, to YAML, to a configuration file, to a template.
pub(crate) const HOSTILE: [&str; 14] = [
    r#"say "hi""#,
    r"it's",
    r"back\slash\n",
    "# no comment",
    "a;b|c&d",
    "100%s %n %%",
    "{{ device.id }}",
    "{% if x %}",
    "$(reboot)`id`",
    " spaces at both ends ",
    "=key=value",
    "ends in backslash\\",
    "[section]",
    "- list: {a: b}",
];

/// A text as YAML reads it whatever is in it: JSON's quoting is also YAML's.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// What wpa_supplicant itself reads out of a configuration: each `NAME - hexdump` that it prints.
fn as_wpa_supplicant_reads(configuration: &str, name: &str) -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wpa.conf");
    // its sockets would be made for everybody to see
    let configuration = configuration.replace("/run/wpa_supplicant GROUP=netdev", "run");
    std::fs::write(&path, configuration).unwrap();
    let search = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap());
    let output = Command::new("wpa_supplicant")
        .env("PATH", search)
        .current_dir(folder.path())
        // it reads the file, says what it understood, and ends for want of such an interface
        .args(["-K", "-dd", "-D", "wired", "-i", "absent0", "-c"])
        .arg(&path)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!text.contains("Failed to read or parse configuration"), "{text}");
    let mut found = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if !line.starts_with(&format!("{name} - hexdump")) {
            continue;
        }
        let mut bytes = Vec::new();
        while let Some(dump) = lines.next_if(|line| line.starts_with("     ")) {
            let digits = dump.get(5..53).unwrap_or(&dump[5..]);
            bytes.extend(digits.split_whitespace().map(|it| u8::from_str_radix(it, 16).unwrap()));
        }
        found.push(bytes);
    }
    found
}

#[test]
fn network_names_and_passphrases_arrive_at_wpa_supplicant_as_they_were_written() {
    let names = HOSTILE.map(str::to_owned).into_iter().chain([
        "Gänse 日本 🦆".to_owned(),
        "tab\tand\u{1}".to_owned(),
        "new\nline".to_owned(),
    ]);
    let names: Vec<String> = names.collect();
    let networks: String = names
        .iter()
        .zip(HOSTILE.iter().cycle())
        .map(|(name, passphrase)| {
            let passphrase = quoted(&format!("{passphrase:8}"));
            format!("      - {{ssid: {}, security: wpa3, psk: {passphrase}}}\n", quoted(name))
        })
        .collect();
    let wifi = format!("network:\n  wifi:\n    country: NL\n    networks:\n{networks}");
    let project = Project::with(&format!("{PROFILE}{wifi}"));
    let seen = project.imgbuild(&["render", "kitchen.yaml", "-o", "card"]);
    assert!(seen.starts_with("exit: 0\n"), "{seen}");
    let path = project.path("card/rootfs/etc/wpa_supplicant/wpa_supplicant-wlan0.conf");
    let configuration = std::fs::read_to_string(path).unwrap();
    let read = as_wpa_supplicant_reads(&configuration, "ssid");
    let wanted: Vec<Vec<u8>> = names.iter().map(|name| name.as_bytes().to_vec()).collect();
    assert_eq!(read, wanted);
    let read = as_wpa_supplicant_reads(&configuration, "sae_password");
    let wanted = HOSTILE.iter().cycle().take(names.len());
    let wanted: Vec<Vec<u8>> = wanted.map(|it| format!("{it:8}").into_bytes()).collect();
    assert_eq!(read, wanted);
}

/// The C library's own crypt, by way of Perl, says whether a password opens an account.
#[test]
fn passwords_open_the_account_whatever_is_in_them() {
    for password in HOSTILE {
        let access = format!("access: {{user: pi, password: {}}}\n", quoted(password));
        let project = Project::with(&format!("{PROFILE}{access}"));
        project.imgbuild(&["render", "kitchen.yaml", "-o", "card"]);
        let shadow = std::fs::read_to_string(project.path("card/rootfs/etc/shadow")).unwrap();
        let line = shadow.lines().find(|line| line.starts_with("pi:")).unwrap();
        let hash = line.split(':').nth(1).unwrap();
        let script = "print crypt($ARGV[0], $ARGV[1])";
        let judged = run("perl", &["-e", script, "--", password, hash].map(Path::new));
        assert_eq!(judged, hash, "{password}");
    }
}

/// What the broker is told lands in files of its own, or in YAML, which another hand's reader reads.
#[test]
fn what_a_broker_is_told_arrives_as_it_was_written() {
    let words = ["yes", "off", "null", "~", "0123", "1e3", "0x10", "1:30", "2026-11-20", "é"];
    for text in HOSTILE.into_iter().chain(words) {
        let profile = PROFILE
            .replace("username: greenhouse", &format!("username: {}", quoted(text)))
            .replace("!secret mqtt", &quoted(text));
        let project = Project::with(&profile);
        let seen = project.imgbuild(&["render", "kitchen.yaml", "-o", "card"]);
        assert!(seen.starts_with("exit: 0\n"), "{seen}");
        let read = |path: &str| std::fs::read(project.path(&format!("card/rootfs{path}"))).unwrap();
        assert_eq!(read("/etc/imgbuild/credentials/password"), text.as_bytes());
        let script = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))";
        let judged = run(
            crate::shared::process::python().to_str().unwrap(),
            &[
                "-c".as_ref(),
                script.as_ref(),
                &project.path("card/rootfs/etc/imgbuild/profile.yaml"),
            ],
        );
        let judged: serde_json::Value = serde_json::from_str(&judged).unwrap();
        assert_eq!(judged["cloud"]["mqtt"]["username"], text);
    }
}

/// What systemd's own reader has against a unit of a card.
pub(crate) fn complaints(root: &Path, unit: &str) -> Vec<String> {
    let output = Command::new("systemd-analyze")
        .args(["verify", "--man=no", "--recursive-errors=no"])
        .arg(format!("--root={}", root.display()))
        .arg(unit)
        .output()
        .unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.success(), complaints.is_empty(), "{complaints}");
    // systemd 254 brought these; older ones wait evenly
    let newer = ["Unknown key 'RestartSteps'", "Unknown key 'RestartMaxDelaySec'"];
    let known = |line: &&str| !newer.iter().any(|it| line.contains(it));
    complaints.lines().filter(known).map(str::to_owned).collect()
}

/// Every unit and script of a card, with all that a profile can put into them.
#[test]
fn systemd_and_a_shell_take_what_is_on_the_card() {
    let profile = PROFILE.replace("keyboard: gb", "keyboard: gb, locale: en_GB.UTF-8");
    let project = Project::with(&profile);
    let seen = project.imgbuild(&["render", "kitchen.yaml", "-o", "card"]);
    assert!(seen.starts_with("exit: 0\n"), "{seen}");
    let root = project.path("card/rootfs");
    // the base's
    project.write("card/rootfs/usr/sbin/locale-gen", "#!/bin/sh\n");
    project.mode("card/rootfs/usr/sbin/locale-gen", 0o755);
    let units = std::fs::read_dir(root.join("usr/lib/systemd/system")).unwrap();
    let units = units.map(|unit| unit.unwrap().file_name().into_string().unwrap());
    let units: Vec<String> = units.filter(|unit| unit.starts_with("imgbuild-")).collect();
    assert!(units.len() >= 3, "{units:?}");
    for unit in &units {
        assert_eq!(complaints(&root, unit), Vec::<String>::new());
    }
    // a check that cannot fail proves nothing
    project.write("card/rootfs/usr/lib/systemd/system/imgbuild-odd.service", "[Service]\nExec=x\n");
    assert_ne!(complaints(&root, "imgbuild-odd.service"), Vec::<String>::new());
    run("sh", &["-n".as_ref(), &root.join("usr/lib/imgbuild/grow-root")]);
    let script = r#". "$1"; printf %s "$XKBLAYOUT"; . "$2"; printf ' %s' "$LANG""#;
    let (keyboard, locale) = (root.join("etc/default/keyboard"), root.join("etc/locale.conf"));
    let read = run("sh", &["-c".as_ref(), script.as_ref(), "sh".as_ref(), &keyboard, &locale]);
    assert_eq!(read, "gb en_GB.UTF-8");
}

#[test]
fn names_that_land_in_paths_and_files_are_refused_by_rule() {
    let hostile = HOSTILE.iter().copied().chain(["new\nline", "../../etc/passwd", "", "a b"]);
    for text in hostile {
        for key in ["id: greenhouse-01", "timezone: Europe/Amsterdam", "keyboard: gb", "id: air"] {
            let name = key.split(':').next().unwrap();
            let profile = PROFILE.replacen(key, &format!("{name}: {}", quoted(text)), 1);
            let seen = Project::with(&profile).imgbuild(&["check", "kitchen.yaml"]);
            assert!(seen.starts_with("exit: 1\n"), "{key}: {text:?}: {seen}");
        }
        let topic = format!("{PROFILE}telemetry: {{topic: {}}}\n", quoted(&format!("a/{text}/#")));
        let seen = Project::with(&topic).imgbuild(&["check", "kitchen.yaml"]);
        assert!(seen.starts_with("exit: 1\n"), "{text:?}: {seen}");
        let user = format!("{PROFILE}access: {{user: {}, password: abcdefgh}}\n", quoted(text));
        let seen = Project::with(&user).imgbuild(&["check", "kitchen.yaml"]);
        assert!(seen.starts_with("exit: 1\n"), "{text:?}: {seen}");
    }
}
