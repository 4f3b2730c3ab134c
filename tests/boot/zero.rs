//! A Pi Zero W: `ARMv6`, a base and an agent of its own.

use imgbuild::emulator::{Board, Machine};

use crate::bench::{ETH0, PATIENCE, Witness, one_at_a_time};
use crate::proof::Proof;

/// The emulated sensor, through i2c-dev: the base's kernel has no driver for it.
const SENSORS: &str = "sensors: [{id: probe, tmp102: {}}]\n";

#[test]
fn a_card_for_a_pi_zero_w_boots_and_publishes() {
    let _one = one_at_a_time();
    let proof = Proof::on("debian-bookworm-armel", "pi-zero-w", SENSORS, &[]);
    let image = proof.build();
    let card = proof.flash(&image);
    let mut pi = proof.start(&card, 19.75, Machine::new(Board::PiZeroW, &card).append(ETH0));
    let _witness = Witness::of("zero", &pi);
    let login = pi.console().wait_for("greenhouse login:", PATIENCE).unwrap();
    eprintln!("Pi Zero W, power-on to login: {:.1} s", login.at.as_secs_f64());
    let mut record = proof.next_of("probe", &pi);
    // what was sampled before the temperature was set may come first
    while (record.temperature - 19.75).abs() > 0.1 {
        record = proof.next_of("probe", &pi);
    }
    pi.set_temperature(-7.5).unwrap();
    let before = record.sequence;
    while (record.temperature + 7.5).abs() > 0.1 {
        record = proof.next_of("probe", &pi);
    }
    assert!(record.sequence > before, "{record:?}");
    pi.stop().unwrap();
}
