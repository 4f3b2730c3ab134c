//! From power-on to readings at a broker, over mutual TLS.

use std::path::Path;
use std::process::Command;

use imgbuild::emulator::{Card, Emulator};

use crate::bench::{PATIENCE, Witness, one_at_a_time};
use crate::proof::Proof;

const SENSORS: &str = "\
telemetry: {interval: 2s}
sensors:
  - {id: probe, tmp102: {bus: i2c-1, address: 0x48}}
  - {id: cpu, cpu-temperature: {}}
";

/// What QEMU's Pi says its processor's temperature is.
const CPU: f64 = 25.178;

/// How much later a message may come than it was sampled, in seconds: emulation is slow.
const LATEST: f64 = 10.0;

#[test]
fn a_card_boots_and_publishes_what_its_sensors_feel() {
    let _one = one_at_a_time();
    let proof = Proof::new(SENSORS, &[]);
    let image = proof.build();
    let card = proof.flash(&image);
    let mut pi = proof.power_on(&card, 23.5);
    let _witness = Witness::of("publishes", &pi);

    let network = pi.console().wait_for("DHCPv4 address 10.0.2.15", PATIENCE).unwrap();
    let first = proof.next_of("probe", &pi);
    let first_message = pi.since_power_on();
    let login = pi.console().wait_for("greenhouse login:", PATIENCE).unwrap();
    pi.console().wait_for("Started imgbuild-agent.service", PATIENCE).unwrap();
    let to_message = first_message.saturating_sub(network.at);
    eprintln!("power-on to login: {:.1} s", login.at.as_secs_f64());
    eprintln!("first message: {}", first.text);
    eprintln!("network up to first message: {:.1} s", to_message.as_secs_f64());
    assert!(to_message.as_secs_f64() <= 10.0, "the first message came after {to_message:?}");

    assert!((first.temperature - 23.5).abs() <= 0.1, "{first:?}");
    // sampled while there was neither network nor time, and dated all the same
    assert!((-1.0..pi.since_power_on().as_secs_f64()).contains(&first.age), "{first:?}");
    let cpu = proof.next_of("cpu", &pi);
    assert!((cpu.temperature - CPU).abs() <= 0.1, "{cpu:?}");

    pi.set_temperature(-4.25).unwrap();
    let mut last = first;
    let changed = loop {
        let record = proof.next_of("probe", &pi);
        assert!(
            record.sequence > last.sequence && record.timestamp > last.timestamp,
            "{record:?} after {last:?}"
        );
        if (record.temperature - last.temperature).abs() > 0.1 {
            break record;
        }
        last = record;
    };
    assert!((changed.temperature + 4.25).abs() <= 0.1, "{changed:?}");
    assert!((-1.0..LATEST).contains(&changed.age), "{changed:?}");

    let sequence = power_cut(&proof, pi, &card, &image);
    assert!(
        sequence > changed.sequence,
        "after a power cut the sequence goes on, and does not begin anew"
    );
}

/// Cuts the power; the card must come back by itself, its root file system grown to the card.
fn power_cut(proof: &Proof, pi: Emulator, card: &Card, image: &Path) -> u64 {
    pi.console().wait_for("Finished imgbuild-grow.service", PATIENCE).unwrap();
    pi.cut_power().unwrap();
    // what was on its way when the power went is not of the next life
    while proof.broker.messages().try_recv().is_ok() {}

    has_grown(card, image);
    refuses_the_dirty_card(proof, card.path());
    let pi = proof.power_on(card, -4.25);
    let _witness = Witness::of("publishes-again", &pi);
    let record = proof.next_of("probe", &pi);
    let failed =
        pi.console().lines().into_iter().find(|line| line.text.contains("Failed to start"));
    assert!(failed.is_none(), "{failed:?}");
    pi.stop().unwrap();
    record.sequence
}

/// The root partition reaches to the end of the card, which is larger than the image.
fn has_grown(card: &Card, image: &Path) {
    let sectors = |path: &Path| {
        let output = Command::new("/usr/sbin/sfdisk").arg("--dump").arg(path).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let line = text.lines().filter(|line| line.contains("start=")).nth(1).unwrap().to_owned();
        let number = |key: &str| {
            let value = line.split(key).nth(1).unwrap().split(',').next().unwrap();
            value.trim().parse::<u64>().unwrap()
        };
        (number("start="), number("size="))
    };
    let length = std::fs::metadata(card.path()).unwrap().len() / 512;
    let ((_, before), (start, after)) = (sectors(image), sectors(card.path()));
    assert!(
        after > before && start + after == length,
        "{before} sectors became {after}, of {length}"
    );
}

/// A card that was in use when the power went is no base: its journal would overwrite what is written.
fn refuses_the_dirty_card(proof: &Proof, card: &Path) {
    let profile = std::fs::read_to_string(proof.path("card.yaml")).unwrap();
    let base = format!("base: {{file: {}}}", card.display());
    std::fs::write(proof.path("dirty.yaml"), profile.replace("base: debian-trixie-arm64", &base))
        .unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_imgbuild"))
        .arg(proof.path("dirty.yaml"))
        .arg("-o")
        .arg(proof.path("dirty.img"))
        .output()
        .unwrap();
    let seen = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{seen}");
    assert!(seen.contains("journal") && !proof.path("dirty.img").exists(), "{seen}");
}
