//! The manifest and the bill of materials.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::{built, project, shell};
use crate::shared::process::python;
use crate::support::{Project, run};

fn json(project: &Project, name: &str) -> Value {
    serde_json::from_slice(&fs::read(project.path(name)).unwrap()).unwrap()
}

/// The SHA-256 of a text, as coreutils have it.
fn sha256(project: &Project, text: &str) -> String {
    project.write("text", text);
    let sum = String::from_utf8(shell(project, "sha256sum text; rm text")).unwrap();
    sum.split(' ').next().unwrap().to_owned()
}

#[test]
fn a_manifest_has_the_hash_of_what_went_in_and_of_what_was_written() {
    let project = project();
    built(&project, "kitchen.img.gz");
    let manifest = json(&project, "kitchen.img.gz.manifest.json");
    assert_eq!(
        (&manifest["device"], &manifest["model"]),
        (&"greenhouse-01".into(), &"pi-3".into())
    );
    let sum = String::from_utf8(shell(
        &project,
        "sha256sum base.img kitchen.img.gz kitchen.img.gz.bmap kitchen.img.gz.cdx.json",
    ))
    .unwrap();
    let sums: Vec<&str> = sum.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(manifest["inputs"]["base"]["sha256"], sums[0]);
    for (output, sum) in manifest["outputs"].as_array().unwrap().iter().zip(&sums[1..]) {
        assert_eq!(output["sha256"], *sum, "{output}");
    }
    assert_eq!(manifest["facts"]["release"]["codename"], "trixie");
    let operations = manifest["operations"].as_array().unwrap();
    let of = |path: &str| operations.iter().find(|it| it["path"] == path).unwrap();
    assert_eq!(of("/etc/hostname")["sha256"], sha256(&project, "greenhouse-01\n"));
    assert_eq!(of("/usr/bin/imgbuild-agent")["sha256"], sha256(&project, &"a".repeat(200_000)));
    assert_eq!(of("/etc/localtime")["target"], "/usr/share/zoneinfo/Europe/Amsterdam");
    let tools: BTreeSet<&str> = manifest["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    assert_eq!(tools, BTreeSet::from(["debugfs", "dumpe2fs", "e2fsck", "imgbuild", "mtools"]));
    let debugfs =
        String::from_utf8(shell(&project, "PATH=$PATH:/usr/sbin debugfs -V 2>&1")).unwrap();
    let version = &manifest["tools"][1]["version"];
    assert!(debugfs.starts_with(&format!("debugfs {} ", version.as_str().unwrap())), "{version}");
}

#[test]
fn a_manifest_has_no_secret_and_no_hash_by_which_one_could_be_guessed() {
    let project = project();
    built(&project, "kitchen.img.gz");
    let text = fs::read_to_string(project.path("kitchen.img.gz.manifest.json")).unwrap();
    assert!(!text.contains("canary"), "{text}");
    let manifest = json(&project, "kitchen.img.gz.manifest.json");
    let secret: BTreeSet<&str> = manifest["operations"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["secret"] == true)
        .inspect(|it| assert_eq!(it["sha256"], Value::Null, "{it}"))
        .map(|it| it["path"].as_str().unwrap())
        .collect();
    for path in [
        "/etc/imgbuild/credentials/password",
        "/etc/imgbuild/credentials/private-key.pem",
        "/etc/shadow",
        "/etc/wpa_supplicant/wpa_supplicant-wlan0.conf",
    ] {
        assert!(secret.contains(path), "{path} is not in {secret:?}");
    }
    // the profile has a secret written out in it
    let profile = fs::read_to_string(project.path("kitchen.yaml")).unwrap();
    assert!(profile.contains("canary-in-clear"));
    for text_with_secret in [profile.as_str(), "canary-mqtt-password"] {
        assert!(!text.contains(&sha256(&project, text_with_secret)));
    }
    // another passphrase of that length is the same profile to the manifest
    let before = manifest["inputs"]["profile"].clone();
    project.write("kitchen.yaml", &profile.replace("canary-in-clear", "another-one-now"));
    built(&project, "kitchen.img.gz");
    assert_eq!(json(&project, "kitchen.img.gz.manifest.json")["inputs"]["profile"], before);
    project.write("kitchen.yaml", &profile.replace("Amsterdam", "Amsterdam "));
    built(&project, "kitchen.img.gz");
    assert_ne!(json(&project, "kitchen.img.gz.manifest.json")["inputs"]["profile"], before);
}

const JUDGE: &str = "\
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
text = open(sys.argv[1]).read()
error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
print(error or 'valid')
";

#[test]
fn a_bill_of_materials_is_valid_and_complete() {
    let project = project();
    built(&project, "kitchen.img.gz");
    let name = "kitchen.img.gz.cdx.json";
    let python = python();
    let judge = |name: &str| {
        run(python.to_str().unwrap(), &["-c".as_ref(), JUDGE.as_ref(), &project.path(name)])
    };
    assert_eq!(judge(name), "valid\n");
    let bill = json(&project, name);
    let mut broken = bill.clone();
    broken["components"][0]["type"] = "thing".into();
    project.write("broken.json", &broken.to_string());
    assert!(judge("broken.json").contains("thing"), "the judge takes everything");
    let components = bill["components"].as_array().unwrap();
    let named = |name: &str| components.iter().find(|it| it["name"] == name).unwrap();
    assert_eq!(named("dpkg")["purl"], "pkg:deb/debian/dpkg@1.22?arch=arm64&distro=trixie");
    assert_eq!(named("ring")["purl"], "pkg:cargo/ring@0.17.14");
    assert_eq!(named("ring")["licenses"][0]["expression"], "Apache-2.0 AND ISC");
    let agent = named("imgbuild-agent");
    assert_eq!(agent["hashes"][0]["content"], sha256(&project, &"a".repeat(200_000)));
    assert_eq!(components.len(), 4, "system, dpkg, agent, ring");
    let depends = bill["dependencies"].as_array().unwrap();
    let of_agent = depends.iter().find(|it| it["ref"] == agent["bom-ref"]).unwrap();
    assert_eq!(of_agent["dependsOn"][0], named("ring")["bom-ref"]);
}

#[test]
fn a_bill_is_dated_like_the_image() {
    let project = project();
    let mut command = project.command(&["kitchen.yaml", "-o", "kitchen.img.gz"]);
    project.seen(command.env("SOURCE_DATE_EPOCH", "1700000000"));
    let bill = json(&project, "kitchen.img.gz.cdx.json");
    assert_eq!(bill["metadata"]["timestamp"], "2023-11-14T22:13:20Z");
}
