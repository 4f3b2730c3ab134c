//! Looking at finished images: what is on one, whether it holds a profile, how two differ.

use std::fs;
use std::os::unix::fs::FileExt;

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::{Fixture, PROFILE, Project, run};

const MORE: &str = "\
access: {user: pi, password: !secret pi, ssh_keys: [ssh-ed25519 AAAAC3Nz me]}
network: {wifi: {country: NL, networks: [{ssid: Home, psk: !secret wifi.home}, {ssid: Lab, security: open}]}}
";

fn project() -> Project {
    Project::with(&format!("{PROFILE}{MORE}"))
}

/// Runs a request of debugfs on the root file system of an image.
fn debugfs(project: &Project, image: &str, request: &str) {
    let root = format!("{}?offset={}", project.path(image).display(), 86_016 * 512);
    run("debugfs", &["-w".as_ref(), "-R".as_ref(), request.as_ref(), root.as_ref()]);
}

#[test]
fn an_inspection_tells_what_is_on_a_card() {
    let project = project();
    project.build();
    assert_snapshot!(project.imgbuild(&["inspect", "kitchen.img"]));
}

#[test]
fn an_inspection_of_an_image_that_is_not_ours() {
    assert_snapshot!(Project::new().imgbuild(&["inspect", "base.img"]));
}

#[test]
fn an_inspection_for_programs_has_no_secret() {
    let project = project();
    project.build();
    let output = project.command(&["inspect", "kitchen.img", "--format", "json"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("canary") && !text.contains("$6$"), "{text}");
    let found: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(found["agent"]["profile"]["device"], "greenhouse-01");
    assert_eq!(found["network"]["wifi"], serde_json::json!(["Home", "Lab"]));
    assert_eq!(found["facts"]["architecture"], "arm64");
    let pi = found["accounts"].as_array().unwrap().iter().find(|it| it["name"] == "pi").unwrap();
    assert_eq!((&pi["password"], &pi["ssh_keys"]), (&"set".into(), &1.into()));
}

#[test]
fn an_image_holds_its_profile() {
    let project = project();
    project.build();
    let seen = project.imgbuild(&["verify", "kitchen.img", "kitchen.yaml"]);
    assert!(seen.starts_with("exit: 0\nkitchen.img holds kitchen.yaml: "), "{seen}");
    assert!(seen.ends_with(" as planned, both file systems sound\n"), "{seen}");
}

#[test]
fn an_image_holds_no_other_profile() {
    let project = project();
    project.build();
    let profile = fs::read_to_string(project.path("kitchen.yaml")).unwrap();
    project.write("other.yaml", &profile.replace("greenhouse-01", "greenhouse-02"));
    debugfs(&project, "kitchen.img", "rm /usr/bin/imgbuild-agent");
    debugfs(&project, "kitchen.img", "sif /etc/hosts mode 0100600");
    assert_snapshot!(project.imgbuild(&["verify", "kitchen.img", "other.yaml"]));
}

#[test]
fn an_image_that_is_damaged_holds_no_profile() {
    let project = project();
    project.build();
    let file = fs::File::options().write(true).open(project.path("kitchen.img")).unwrap();
    // the second of two allocation tables, of which a reader looks at one
    let table: u64 = 16_384 * 512;
    let mut boot = [0; 512];
    fs::File::open(project.path("kitchen.img")).unwrap().read_exact_at(&mut boot, table).unwrap();
    let reserved = u64::from(u16::from_le_bytes([boot[14], boot[15]]));
    let length = u64::from(u32::from_le_bytes([boot[36], boot[37], boot[38], boot[39]]));
    file.write_all_at(&[0x77; 64], table + (reserved + length) * 512 + 64).unwrap();
    let seen = project.imgbuild(&["verify", "kitchen.img", "kitchen.yaml"]);
    assert!(
        seen.starts_with("exit: 1\nchecking the boot file system: fsck.vfat exit status: 1"),
        "{seen}"
    );
    assert!(seen.ends_with("kitchen.img does not hold kitchen.yaml: 1 difference\n"), "{seen}");
}

#[test]
fn two_builds_of_one_profile_do_not_differ() {
    let project = project();
    project.build();
    fs::rename(project.path("kitchen.img"), project.path("before.img")).unwrap();
    project.build();
    assert_eq!(project.imgbuild(&["diff", "before.img", "kitchen.img"]), "exit: 0\n");
}

#[test]
fn a_difference_shows_small_texts_and_no_secret() {
    let project = project();
    project.build();
    fs::rename(project.path("kitchen.img"), project.path("before.img")).unwrap();
    let profile = fs::read_to_string(project.path("kitchen.yaml")).unwrap();
    let profile = profile
        .replace("keyboard: gb", "keyboard: us, hostname: other")
        .replace("!secret wifi.home", "!secret wifi.lab")
        .replace("username: greenhouse", "username: another")
        .replace("!secret mqtt", "canary-another-one")
        .replace("Europe/Amsterdam", "UTC");
    project.write("kitchen.yaml", &profile.replace("!secret pi", "canary-second-password"));
    project.build();
    debugfs(&project, "kitchen.img", "rm /etc/skel/.profile");
    debugfs(&project, "kitchen.img", "sif /etc/fstab mode 0100600");
    debugfs(&project, "kitchen.img", "sif /etc/fstab uid 7");
    let seen = project.imgbuild(&["diff", "before.img", "kitchen.img"]);
    assert!(!seen.contains("canary") && !seen.contains("$6$"), "{seen}");
    assert_snapshot!(seen);
    let output = project
        .command(&["diff", "before.img", "kitchen.img", "--format", "json"])
        .output()
        .unwrap();
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let removed: Vec<&Value> =
        found.as_array().unwrap().iter().filter(|it| it["change"] == "removed").collect();
    assert_eq!(removed.len(), 1);
    assert_eq!(removed[0]["path"], "/etc/skel/.profile");
}

#[test]
fn a_card_differs_from_its_base_by_what_was_planned() {
    let project = project();
    project.build();
    let diff = project.imgbuild(&["diff", "base.img", "kitchen.img"]);
    assert!(diff.starts_with("exit: 1\n"), "{diff}");
    assert!(!diff.contains("canary") && !diff.contains("$6$"), "{diff}");
    let output = project.command(&["plan", "kitchen.yaml", "--format", "json"]).output().unwrap();
    let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut planned: Vec<String> = plan["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| {
            format!("{} {}", file["partition"].as_str().unwrap(), file["path"].as_str().unwrap())
        })
        .collect();
    let mut differing: Vec<String> = diff
        .lines()
        .filter(|line| line.starts_with("boot ") || line.starts_with("root "))
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            format!("{} {}", words[0], words[2].trim_end_matches(':'))
        })
        .collect();
    planned.sort();
    differing.sort();
    assert_eq!(differing, planned);
}

/// What lies in this project's own cache, locks aside, whose content means nothing.
fn cached(project: &Project) -> Vec<String> {
    let files = fs::read_dir(project.path("cache/images")).into_iter().flatten();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name != ".lock").collect()
}

/// Calls the program with a cache of this project's own.
fn with_a_cache(project: &Project, arguments: &[&str]) -> String {
    project.seen(project.command(arguments).env("IMGBUILD_CACHE", project.path("cache")))
}

#[test]
fn a_compressed_card_is_looked_at_like_a_plain_one() {
    let project = project();
    project.build();
    let shell = |script: &str| {
        let script = format!("cd '{}'; {script}", project.path("").display());
        run("sh", &["-euc".as_ref(), script.as_ref()])
    };
    shell(
        "xz -k -0 kitchen.img; zstd -q kitchen.img; gzip -k kitchen.img; zip -q kitchen.zip kitchen.img",
    );
    let see = |arguments: &[&str]| with_a_cache(&project, arguments);
    let (inspection, difference) =
        (see(&["inspect", "kitchen.img"]), see(&["diff", "base.img", "kitchen.img"]));
    for name in ["kitchen.img.xz", "kitchen.img.zst", "kitchen.img.gz", "kitchen.zip"] {
        assert_eq!(see(&["inspect", name]), inspection.replace("kitchen.img", name));
        assert_eq!(see(&["diff", name, "kitchen.img"]), "exit: 0\n");
        assert_eq!(see(&["diff", "base.img", name]), difference);
        let seen = see(&["verify", name, "kitchen.yaml"]);
        assert!(seen.starts_with(&format!("exit: 0\n{name} holds kitchen.yaml: ")), "{seen}");
        assert_eq!(cached(&project), [""; 0], "{name}");
    }
    // what it complains of is called what the user calls it
    shell("rm kitchen.img.gz");
    debugfs(&project, "kitchen.img", "clri /etc/hosts");
    shell("gzip -k kitchen.img");
    let seen = see(&["verify", "kitchen.img.gz", "kitchen.yaml"]);
    assert!(seen.starts_with("exit: 1\n") && seen.contains("e2fsck"), "{seen}");
    assert!(!seen.contains("cache"), "{seen}");
    // cut short
    shell("head -c 20000 kitchen.img.xz > short.img.xz");
    let seen = see(&["inspect", "short.img.xz"]);
    let wanted = "exit: 1\nerror: reading the image short.img.xz: it was cut short: the xz data has no end\n";
    assert_eq!(seen, wanted);
    assert_eq!(cached(&project), [""; 0]);
}

#[test]
fn what_is_no_image_is_named() {
    let project = Project::new();
    project.write("text.img", &"no image\n".repeat(100));
    fs::write(project.path("card.img.xz"), b"\xFD7zXZ\0 and so on").unwrap();
    for arguments in [
        &["inspect", "absent.img"][..],
        &["inspect", "text.img"],
        &["inspect", "card.img.xz"],
        &["diff", "base.img", "text.img"],
        &["verify", "text.img", "kitchen.yaml"],
        &["verify", "base.img", "absent.yaml"],
    ] {
        let seen = project.imgbuild(arguments);
        assert!(seen.starts_with("exit: 1\nerror: reading the "), "{arguments:?}: {seen}");
        assert_eq!(seen.lines().count(), 2, "{arguments:?}: {seen}");
    }
    let seen = project.imgbuild(&["inspect", "absent.img"]);
    assert_eq!(seen, "exit: 1\nerror: reading the image absent.img: there is no such file\n");
    assert!(Fixture::get().image().exists());
}
