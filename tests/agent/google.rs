//! The protocol of Google Cloud IoT Core: the agent against a double that is as strict as the cloud, and the
//! double against the libraries that Google's samples use.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::device::{Device, renewals, sequences};
use crate::doubles::google::{PublicKey, Registry};
use crate::doubles::server::Double;
use crate::doubles::sessions::Delivery;
use crate::judge::{content, judge};
use crate::support::authority::{Authority, Valid};
use crate::support::process::command;
use crate::support::wait_for;

const HOST: &str = "europe-west1-mqtt.clearblade.com";
const PATH: &str = "projects/greenhouses/locations/europe-west1/registries/sensors";
const DEVICE: &str = "greenhouse-01";

struct World {
    bridge: Authority,
    devices: Authority,
    folder: tempfile::TempDir,
    config: Arc<Mutex<String>>,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [bridge, devices] = ["bridge", "devices"].map(Authority::new);
        Self { bridge, devices, folder, config: Arc::default() }
    }

    /// A key as the documentation says to make it.
    fn key(&self, name: &str, algorithm: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        let arguments = match algorithm {
            "RS256" => "genrsa 2048",
            _ => "ecparam -genkey -name prime256v1 -noout",
        };
        let arguments: Vec<&str> = arguments.split(' ').collect();
        let output = command("openssl").args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::write(&path, output.stdout).unwrap();
        path
    }

    fn registry(&self, host: &str, key: PublicKey) -> Double {
        let own = self.bridge.server(&[host], Valid::Now);
        let registry = Registry {
            host: host.into(),
            project: "greenhouses".into(),
            path: PATH.into(),
            device: DEVICE.into(),
            key,
            config: Arc::clone(&self.config),
        };
        registry.open(&own, &self.devices)
    }

    fn device(&self, double: &Double, algorithm: &str, key: &Path, life: &str) -> Device {
        let device = Device::new("{}");
        let ca = device.put("credentials/connect-ca.pem", self.bridge.pem());
        device.edit_profile(
            "mqtt: {}",
            &format!(
                "google-iot-core: {{host: {HOST}, port: 8883, project: greenhouses, device: {DEVICE}, \
                 client_id: {PATH}/devices/{DEVICE}, algorithm: {}, private_key: {}, life: {life}, \
                 connect: {{address: '127.0.0.1:{}', ca: {}}}}}",
                algorithm.to_lowercase(),
                key.display(),
                double.port(),
                ca.display()
            ),
        );
        device
    }
}

#[test]
fn a_device_publishes_with_tokens_of_either_kind() {
    let world = World::new();
    for algorithm in ["ES256", "RS256"] {
        let key = world.key(algorithm, algorithm);
        let double = world.registry(HOST, PublicKey::of(&key, algorithm));
        let device = world.device(&double, algorithm, &key, "1h");
        let agent = device.start(&[]);
        let ledger = wait_for("ten messages", || {
            Some(double.ledger()).filter(|ledger| ledger.messages.len() >= 10)
        });
        assert!(ledger.refused.is_empty(), "{ledger:?}");
        assert!(
            ledger.messages.iter().all(|(topic, _)| topic == "/devices/greenhouse-01/events/cpu")
        );
        let numbers = sequences(&ledger.messages);
        assert!(numbers.windows(2).all(|two| two[1] == two[0] + 1), "{numbers:?}");
        assert_eq!(agent.terminate(), Some(0));
    }
}

/// A token of seconds in place of one of an hour.
#[test]
fn tokens_are_renewed_before_they_end_and_nothing_is_lost() {
    let world = World::new();
    let key = world.key("key", "ES256");
    let double = world.registry(HOST, PublicKey::of(&key, "ES256"));
    let device = world.device(&double, "ES256", &key, "6s");
    let agent = device.start(&[]);
    let ledger = renewals(&double, Duration::from_secs(6));
    assert!(ledger.refused.is_empty(), "no token may end: {:?}", ledger.refused);
    let numbers = sequences(&ledger.messages);
    assert!(numbers.windows(2).all(|two| two[1] == two[0] + 1), "{numbers:?}");
    assert_eq!(agent.count("connection lost") + agent.count("cannot connect"), 0);
}

#[test]
fn a_key_that_is_not_registered_is_named() {
    let world = World::new();
    let (key, other) = (world.key("key", "ES256"), world.key("other", "ES256"));
    let double = world.registry(HOST, PublicKey::of(&other, "ES256"));
    let device = world.device(&double, "ES256", &key, "1h");
    let agent = device.start(&[]);
    agent.wait_for_log("with the public half of this key and its algorithm");
    wait_for("it to be tried again", || (double.ledger().refused.len() > 5).then_some(()));
    assert_eq!(agent.count("cannot connect"), 1, "{}", agent.log());
}

#[test]
fn a_key_of_the_other_kind_is_refused_before_anything_starts() {
    let world = World::new();
    let key = world.key("key", "ES256");
    let double = world.registry(HOST, PublicKey::of(&key, "ES256"));
    let device = world.device(&double, "RS256", &key, "1h");
    let said = device.run(&["check"]);
    assert_eq!(said.exit, Some(1));
    assert!(said.stderr.contains("this is no key for RS256"), "{said:?}");
}

#[test]
fn the_double_satisfies_what_googles_samples_use_and_is_as_strict_as_the_bridge() {
    let world = World::new();
    let ca = world.folder.path().join("ca.pem");
    std::fs::write(&ca, world.bridge.pem()).unwrap();
    for algorithm in ["ES256", "RS256"] {
        let key = world.key(algorithm, algorithm);
        let double = world.registry("localhost", PublicKey::of(&key, algorithm));
        let port = double.port().to_string();
        let [path, device, project, algorithm] =
            [PATH, DEVICE, "greenhouses", algorithm].map(OsStr::new);
        let arguments =
            [port.as_ref(), ca.as_os_str(), path, device, project, algorithm, key.as_os_str()];
        let verdicts = judge("google_judge.py", &arguments, "");
        content(&verdicts, &["PyJWT: content", "google-auth: content"], 19);
        let ledger = double.ledger();
        let sent: Vec<_> = ledger.messages.iter().map(|(_, payload)| payload.as_str()).collect();
        assert_eq!(sent, ["0", "1", "2"], "what is refused does not arrive");
        let asides: Vec<_> = ledger.asides.iter().map(|(_, payload)| payload.as_str()).collect();
        assert_eq!(asides, ["state", "a"]);
        let reasons = ledger.refused.join("\n");
        for reason in [
            "a wrong signature",
            "base64url:",
            "the header",
            "the audience \"another\"",
            "a token that has ended",
            "a token of the future",
            "a token for too long",
            "the client id \"greenhouse-01\"",
            "a last will",
            "QoS 2",
            "262145 bytes",
            "\"devices/greenhouse-01/events\"",
            "two states in a second",
            "commands\"",
        ] {
            assert!(reasons.contains(reason), "{reason} in:\n{reasons}");
        }
    }
}

#[test]
fn a_configuration_is_done_and_acknowledged_and_a_command_answered_in_the_state() {
    let world = World::new();
    let key = world.key("key", "ES256");
    let double = world.registry(HOST, PublicKey::of(&key, "ES256"));
    let device = world.device(&double, "ES256", &key, "1h");
    device.edit_profile("interval: 100ms", "interval: 1h");
    let wants = |interval: &str| json!({"sensors": {"cpu": {"interval": interval}}}).to_string();
    *world.config.lock().unwrap() = wants("30min");
    let agent = device.start(&[]);
    let says = |what: &dyn Fn(&Value) -> bool| {
        wait_for("the state", || {
            let asides = double.ledger().asides;
            let last = asides.last().map(|(_, state)| serde_json::from_str(state).unwrap());
            last.filter(|state| what(state))
        })
    };
    let interval = |state: &Value| state["sensors"]["cpu"]["interval"].clone();
    says(&|state| interval(state) == "30min");
    double.deliver(&[Delivery::new("/devices/greenhouse-01/config", wants("200ms"))]);
    says(&|state| interval(state) == "200ms");
    wait_for("messages each 200 ms", || (double.ledger().messages.len() >= 10).then_some(()));
    // more often than a state may be told
    for number in 0..20 {
        let commands = "/devices/greenhouse-01/commands/lamp";
        let said = if number == 19 { "on" } else { r#"{"command":"ping"}"# };
        double.deliver(&[Delivery::new(commands, said)]);
        std::thread::sleep(Duration::from_millis(100));
    }
    says(&|state| state["command"].as_str().is_some_and(|it| it.contains("404")));
    // a new connection: the configuration is told again
    *world.config.lock().unwrap() = wants("20min");
    double.put_out();
    says(&|state| interval(state) == "20min");
    let ledger = double.ledger();
    assert!(ledger.refused.iter().all(|why| why.starts_with("connection: ")), "{ledger:?}");
    assert_eq!(agent.count("cannot connect"), 0, "{}", agent.log());
}
