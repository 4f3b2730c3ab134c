//! From power-on to readings at each cloud, by a stand-in for it on this machine; and back: what the cloud wants changes
//! how often a sensor is read.

use std::sync::{Arc, Mutex};

use imgbuild::emulator::Emulator;
use serde_json::{Value, json};

use crate::bench::{Bench, PATIENCE, Witness, one_at_a_time, wait_for};
use crate::doubles::aws::{Account, Policy};
use crate::doubles::google::{PublicKey, Registry};
use crate::doubles::hub::{Auth, Hub};
use crate::doubles::server::Double;
use crate::doubles::sessions::Delivery;
use crate::doubles::shadow::Shadows;
use crate::doubles::twin::Twin;
use crate::support::authority::{Authority, Valid};

const DEVICE: &str = "greenhouse-01";

const SENSORS: &str = "\
sensors:
  - {id: probe, interval: 20s, tmp102: {bus: i2c-1, address: 0x48}}
";

/// What a cloud's double is told by its operator, and what the device reports to it.
struct Cloud<'a> {
    name: &'static str,
    double: &'a Double,
    /// Wants of the device what a document says.
    want: &'a dyn Fn(&Value),
    /// What the device has reported.
    reported: &'a dyn Fn() -> Value,
}

impl Cloud<'_> {
    /// The card's readings arrive; then they come each second, as the cloud wants.
    fn prove(&self, bench: &Bench, last: impl FnOnce(Emulator)) {
        let image = bench.build();
        let card = bench.flash(&image);
        let pi = bench.power_on(&card, 23.5);
        let _witness = Witness::of(self.name, &pi);
        let first = self.readings(2, &pi);
        assert!((first[0]["temperature"].as_f64().unwrap() - 23.5).abs() <= 0.1, "{first:?}");
        assert!((19.5..20.5).contains(&apart(&first)), "{first:?}");

        (self.want)(&json!({"sensors": {"probe": {"interval": "1s"}}}));
        wait_for("report of what is wanted", &pi, || {
            let interval = (self.reported)()["sensors"]["probe"]["interval"].clone();
            (interval == "1s").then_some(())
        });
        let so_far = self.double.ledger().messages.len();
        let later = self.readings(so_far + 4, &pi);
        assert!((0.5..1.5).contains(&apart(&later)), "{later:?}");
        let ledger = self.double.ledger();
        assert!(ledger.refused.is_empty() && ledger.discarded == 0, "{ledger:?}");
        last(pi);
    }

    /// Waits for so many readings, which have numbers without a gap.
    fn readings(&self, count: usize, pi: &Emulator) -> Vec<Value> {
        let messages = wait_for("readings at the cloud", pi, || {
            Some(self.double.ledger().messages).filter(|messages| messages.len() >= count)
        });
        let readings = messages.iter().map(|(_, text)| serde_json::from_str(text).unwrap());
        let readings: Vec<Value> = readings.collect();
        let follows =
            |two: &[Value]| two[1]["sequence"] == two[0]["sequence"].as_u64().unwrap() + 1;
        assert!(readings.windows(2).all(follows), "{readings:?}");
        readings
    }
}

/// The time between the last two readings, in seconds.
fn apart(readings: &[Value]) -> f64 {
    let [.., before, last] = readings else { panic!("{readings:?}") };
    last["utc_timestamp"].as_f64().unwrap() - before["utc_timestamp"].as_f64().unwrap()
}

fn bench(cloud: impl FnOnce(&Bench) -> String) -> Bench {
    Bench::new("debian-trixie-arm64", "pi-3", SENSORS, &[], cloud)
}

#[test]
fn a_card_publishes_to_aws_and_does_what_its_shadow_wants() {
    const ENDPOINT: &str = "a1b2c3-ats.iot.eu-west-1.amazonaws.com";
    let _one = one_at_a_time();
    let [amazon, devices] = ["amazon", "devices"].map(Authority::new);
    let device = devices.client(DEVICE, Valid::Now);
    let thing = |bench: &Bench, connect: &str| {
        bench.put("device.pem", &device.certificate);
        bench.put("device.key", &device.key);
        bench.put("amazon.pem", amazon.pem());
        format!(
            "aws-iot: {{endpoint: {ENDPOINT}, certificate: !file device.pem, private_key: !file device.key, \
             shadow: true{connect}}}"
        )
    };
    // nothing is allowed that the builder's policy does not allow
    let policy = bench(|bench| thing(bench, ""));
    let policy = policy.imgbuild(&["policy", "card.yaml", "--account", "123456789012"]);
    let shadows = Arc::<Shadows>::default();
    let account = Account {
        endpoint: ENDPOINT.into(),
        shared_port: false,
        policy: Policy {
            document: Some(serde_json::from_str(&policy).unwrap()),
            ..Policy::default()
        },
        shadows: Arc::clone(&shadows),
    };
    let double = account.open(&amazon.server(&[ENDPOINT], Valid::Now), &devices);
    let address = format!("'10.0.2.2:{}'", double.port());
    let bench = bench(|bench| {
        thing(bench, &format!(", connect: {{address: {address}, ca: !file amazon.pem}}"))
    });
    let prefix = format!("$aws/things/{DEVICE}/shadow");
    let want = |document: &Value| {
        let update = json!({"state": {"desired": document}}).to_string();
        double.deliver(&shadows.ask(&prefix, "update", update.as_bytes()));
    };
    let reported = || shadows.shadow(&prefix).state()["reported"].clone();
    Cloud { name: "aws", double: &double, want: &want, reported: &reported }
        .prove(&bench, |pi| drop(pi.stop().unwrap()));
}

#[test]
fn a_card_publishes_to_azure_with_tokens_and_does_what_its_twin_wants() {
    const HOST: &str = "example.azure-devices.net";
    /// Of a hub that is none.
    const KEY: &str = "O+H9VTcdJP0TQkl7bh4nVG0OJNrEataMpuWB54D0VEc=";
    let _one = one_at_a_time();
    let [azure, devices] = ["azure", "devices"].map(Authority::new);
    let twin = Arc::<Twin>::default();
    let hub = Hub {
        host: HOST.into(),
        device: DEVICE.into(),
        auth: Auth::Key(KEY.into()),
        twin: Arc::clone(&twin),
    };
    let double = hub.open(&azure.server(&[HOST], Valid::Now), &devices);
    let bench = bench(|bench| {
        bench.put("key", KEY);
        bench.put("azure.pem", azure.pem());
        format!(
            "azure-iot-hub: {{hub: {HOST}, auth: {{sas: {{key: !file key}}}}, \
             connect: {{address: '10.0.2.2:{}', ca: !file azure.pem}}}}",
            double.port()
        )
    });
    let want = |document: &Value| double.deliver(&twin.desire(document));
    let reported = || twin.reported();
    let cloud = Cloud { name: "azure", double: &double, want: &want, reported: &reported };
    cloud.prove(&bench, |pi| {
        double.deliver(&[Delivery::new("$iothub/methods/POST/reboot/?$rid=1", "")]);
        wait_for("answer", &pi, || {
            let asides = double.ledger().asides;
            asides.iter().any(|(topic, _)| topic == "$iothub/methods/res/200/?$rid=1").then_some(())
        });
        pi.console().wait_for("Reached target reboot.target", PATIENCE).unwrap();
    });
}

#[test]
fn a_card_publishes_to_a_registry_with_tokens_and_does_what_its_configuration_wants() {
    const HOST: &str = "europe-west1-mqtt.clearblade.com";
    let _one = one_at_a_time();
    let [bridge, devices] = ["bridge", "devices"].map(Authority::new);
    let (config, mut started) = (Arc::<Mutex<String>>::default(), None);
    let bench = bench(|bench| {
        let key = bench.put("device.key", &devices.client(DEVICE, Valid::Now).key);
        bench.put("bridge.pem", bridge.pem());
        let registry = Registry {
            host: HOST.into(),
            project: "greenhouses".into(),
            path: "projects/greenhouses/locations/europe-west1/registries/sensors".into(),
            device: DEVICE.into(),
            key: PublicKey::of(&key, "ES256"),
            config: Arc::clone(&config),
        };
        let double = registry.open(&bridge.server(&[HOST], Valid::Now), &devices);
        let port = started.insert(double).port();
        format!(
            "google-iot-core: {{project: greenhouses, region: europe-west1, registry: sensors, \
             private_key: !file device.key, connect: {{address: '10.0.2.2:{port}', ca: !file bridge.pem}}}}"
        )
    });
    let double = started.expect("the bench has asked for a cloud");
    let want = |document: &Value| {
        // the cloud keeps it, and tells it at each connection
        *config.lock().unwrap() = document.to_string();
        let topic = format!("/devices/{DEVICE}/config");
        double.deliver(&[Delivery::new(topic, document.to_string())]);
    };
    let reported = || {
        let state = double.ledger().asides.pop().map(|(_, state)| state);
        state.map_or(Value::Null, |state| serde_json::from_str(&state).unwrap())
    };
    Cloud { name: "google", double: &double, want: &want, reported: &reported }
        .prove(&bench, |pi| drop(pi.stop().unwrap()));
}
