//! A card to boot whose readings go to a broker on this machine.

use std::ops::Deref;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use imgbuild::emulator::{Broker, Emulator, Message, Setup};

use crate::bench::{Bench, PATIENCE, lives};
use crate::support::authority::{Authority, Valid};

/// The name that the broker's certificate bears.
pub(crate) const HOST: &str = "broker.test";

/// A bench, and a broker that asks for the card's certificate.
pub(crate) struct Proof {
    bench: Bench,
    pub(crate) broker: Broker,
}

impl Deref for Proof {
    type Target = Bench;

    fn deref(&self) -> &Bench {
        &self.bench
    }
}

impl Proof {
    /// A profile for a Pi 3 with Debian, of these sections and overlays.
    pub(crate) fn new(sections: &str, overlays: &[&str]) -> Self {
        Self::on("debian-trixie-arm64", "pi-3", sections, overlays)
    }

    /// A profile for this base and model, of these sections and overlays, beside those for the device's keys and its
    /// broker.
    pub(crate) fn on(base: &str, model: &str, sections: &str, overlays: &[&str]) -> Self {
        let mut started = None;
        let bench = Bench::new(base, model, sections, overlays, |bench| {
            let clients = Authority::new("devices");
            let device = clients.client("greenhouse-01", Valid::Now);
            bench.put("device.pem", &device.certificate);
            bench.put("device.key", &device.key);
            let clients = bench.put("clients.pem", clients.pem());
            let broker = Broker::start(&Setup::mutual_tls(HOST, clients)).unwrap();
            bench.put("ca.pem", &broker.authority().unwrap());
            let port = started.insert(broker).address().port();
            format!(
                "mqtt: {{host: {HOST}, connect: {{address: '10.0.2.2:{port}'}}, \
                 tls: {{ca: !file ca.pem, certificate: !file device.pem, private_key: !file device.key}}}}"
            )
        });
        Self { bench, broker: started.expect("the bench has asked for a cloud") }
    }

    /// The next message of a sensor; those of others before it are skipped.
    pub(crate) fn next_of(&self, sensor: &str, pi: &Emulator) -> Record {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            match self.broker.messages().recv_timeout(Duration::from_secs(1)) {
                Ok(message) => {
                    let record = Record::of(&message);
                    if message.topic == format!("greenhouse-01/{sensor}") {
                        return record;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => panic!("the broker has ended"),
                Err(RecvTimeoutError::Timeout) => lives(pi),
            }
        }
        panic!("no message of {sensor} reached the broker within {PATIENCE:?}")
    }
}

/// What the agent publishes, as far as the proofs look at it.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) sequence: u64,
    pub(crate) timestamp: f64,
    pub(crate) temperature: f64,
    /// How long after its sampling it was received, in seconds.
    pub(crate) age: f64,
    /// The message as it came, for whoever has to explain it.
    pub(crate) text: String,
}

impl Record {
    pub(crate) fn of(message: &Message) -> Self {
        let text = message.text();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let number = |key: &str| json[key].as_f64().unwrap_or_else(|| panic!("no {key} in {text}"));
        assert_eq!(
            (json["device"].as_str(), json["status"].as_str()),
            (Some("greenhouse-01"), Some("success")),
            "{text}"
        );
        let timestamp = number("utc_timestamp");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        Self {
            sequence: json["sequence"].as_u64().unwrap(),
            timestamp,
            temperature: number("temperature"),
            age: now - timestamp,
            text,
        }
    }
}
