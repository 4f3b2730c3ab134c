//! Azure IoT Hub: the agent against a double that is as strict as the cloud, and the double against Azure's
//! own SDK.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::device::{Device, renewals, sequences};
use crate::doubles::hub::{Auth, Hub, properties};
use crate::doubles::server::{Double, Ledger};
use crate::doubles::sessions::Delivery;
use crate::doubles::twin::Twin;
use crate::judge::{content, judge};
use crate::support::authority::{Authority, Valid};
use crate::support::wait_for;

const HOST: &str = "example.azure-devices.net";
const DEVICE: &str = "greenhouse-01";
/// Of a hub that is none.
const KEY: &str = "O+H9VTcdJP0TQkl7bh4nVG0OJNrEataMpuWB54D0VEc=";
const ANOTHER_KEY: &str = "8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lE=";

struct World {
    azure: Authority,
    devices: Authority,
    twin: Arc<Twin>,
}

impl World {
    fn new() -> Self {
        let [azure, devices] = ["azure", "devices"].map(Authority::new);
        Self { azure, devices, twin: Arc::default() }
    }

    fn hub(&self, host: &str, auth: Auth) -> Double {
        let own = self.azure.server(&[host], Valid::Now);
        let twin = Arc::clone(&self.twin);
        Hub { host: host.into(), device: DEVICE.into(), auth, twin }.open(&own, &self.devices)
    }

    /// A device that proves in this way who it is, and connects to the double.
    fn device(&self, double: &Double, auth: &str) -> Device {
        let device = Device::new("{}");
        let ca = device.put("credentials/connect-ca.pem", self.azure.pem());
        device.edit_profile(
            "mqtt: {}",
            &format!(
                "azure-iot-hub: {{hub: {HOST}, device: {DEVICE}, auth: {auth}, \
                 connect: {{address: '127.0.0.1:{}', ca: {}}}}}",
                double.port(),
                ca.display()
            ),
        );
        device
    }

    /// The same with this key.
    fn device_with_key(&self, double: &Double, key: &str, life: &str) -> Device {
        let device = self.device(double, "KEY");
        let path = device.put("credentials/sas-key", &format!("{key}\n"));
        let sas = format!("{{sas: {{key: {}, life: {life}}}}}", path.display());
        device.edit_profile("KEY", &sas);
        device
    }
}

fn messages(double: &Double, count: usize) -> Ledger {
    wait_for("messages", || Some(double.ledger()).filter(|ledger| ledger.messages.len() >= count))
}

/// Every number arrives; one that was under way when a connection ended may come twice, and none is missing.
fn nothing_is_missing(ledger: &Ledger) {
    let mut numbers = sequences(&ledger.messages);
    numbers.dedup();
    assert!(numbers.windows(2).all(|two| two[1] == two[0] + 1), "{numbers:?}");
}

#[test]
fn a_device_publishes_with_tokens_of_its_own() {
    let world = World::new();
    let double = world.hub(HOST, Auth::Key(KEY.into()));
    let device = world.device_with_key(&double, KEY, "1h");
    let said = device.run(&["check"]);
    assert!(said.stdout.contains("with tokens that are made here"), "{said:?}");
    assert!(said.stdout.contains("trusts one authority from"), "{said:?}");
    let agent = device.start(&[]);
    let ledger = messages(&double, 10);
    nothing_is_missing(&ledger);
    let (topic, payload) = &ledger.messages[0];
    let number = sequences(&ledger.messages)[0].to_string();
    let bag = topic.strip_prefix("devices/greenhouse-01/messages/events/").unwrap();
    let said = properties(bag).unwrap();
    let said: Vec<_> = said.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(
        said,
        [
            ("$.mid", number.as_str()),
            ("$.ct", "application/json"),
            ("$.ce", "utf-8"),
            ("topic", "greenhouse-01/cpu"),
        ],
        "{payload}"
    );
    assert_eq!(agent.terminate(), Some(0));
    let log = std::fs::read_to_string(device.path("log")).unwrap();
    assert!(!log.contains(KEY) && !log.contains("sig="), "{log}");
}

#[test]
fn a_device_publishes_with_a_certificate() {
    let world = World::new();
    let identity = world.devices.client(DEVICE, Valid::Now);
    let double = world.hub(HOST, Auth::Certificate(identity.der()));
    let device = world.device(&double, "CERTIFICATE");
    let certificate = device.put("credentials/certificate.pem", &identity.certificate);
    let key = device.put("credentials/private-key.pem", &identity.key);
    let [certificate, key] = [certificate.display(), key.display()];
    let x509 = format!("{{x509: {{certificate: {certificate}, private_key: {key}}}}}");
    device.edit_profile("CERTIFICATE", &x509);
    let _agent = device.start(&[]);
    let ledger = messages(&double, 10);
    nothing_is_missing(&ledger);
    assert!(ledger.refused.is_empty(), "{:?}", ledger.refused);
}

/// A token of seconds in place of one of an hour.
#[test]
fn tokens_are_renewed_before_they_end_and_nothing_is_lost() {
    let world = World::new();
    let double = world.hub(HOST, Auth::Key(KEY.into()));
    let device = world.device_with_key(&double, KEY, "5s");
    let agent = device.start(&[]);
    let ledger = renewals(&double, Duration::from_secs(5));
    nothing_is_missing(&ledger);
    assert!(ledger.refused.is_empty(), "no token may end: {:?}", ledger.refused);
    assert_eq!(agent.count("connection lost") + agent.count("cannot connect"), 0);
    let numbers = sequences(&ledger.messages);
    let mut once = numbers.clone();
    once.dedup();
    assert_eq!(numbers, once, "what has arrived is not sent again");
}

#[test]
fn a_key_that_is_anothers_is_named() {
    let world = World::new();
    let double = world.hub(HOST, Auth::Key(ANOTHER_KEY.into()));
    let device = world.device_with_key(&double, KEY, "1h");
    let agent = device.start(&[]);
    agent.wait_for_log("the broker does not allow the client `greenhouse-01`");
    agent.wait_for_log("is greenhouse-01 registered and enabled in this hub");
    agent.wait_for_log("the clock here says 20");
    wait_for("it to be tried again", || (double.ledger().refused.len() > 5).then_some(()));
    assert_eq!(agent.count("cannot connect"), 1, "{}", agent.log());
    assert!(double.ledger().refused.iter().all(|why| why == "a wrong signature"));
}

#[test]
fn a_key_that_is_none_is_refused_before_anything_starts() {
    let world = World::new();
    let double = world.hub(HOST, Auth::Key(KEY.into()));
    let device = world.device_with_key(&double, "not a key", "1h");
    let said = device.run(&["check"]);
    assert_eq!(said.exit, Some(1));
    assert!(said.stderr.contains("credentials/sas-key holds no key in Base64"), "{said:?}");
}

#[test]
fn the_double_satisfies_the_sdk_of_azure_and_is_as_strict_as_azure() {
    let world = World::new();
    let double = world.hub("localhost", Auth::Key(KEY.into()));
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, world.azure.pem()).unwrap();
    let port = double.port().to_string();
    let arguments = [port.as_ref(), ca.as_os_str(), DEVICE.as_ref(), KEY.as_ref()];
    content(&judge("hub_judge.py", &arguments, ""), &["sdk: content"], 17);
    let ledger = double.ledger();
    let sent: Vec<_> = ledger.messages.iter().map(|(_, payload)| payload.as_str()).collect();
    assert_eq!(sent, ["0", "1", "2"], "what is refused does not arrive");
    let reasons = ledger.refused.join("\n");
    for reason in [
        "the client id \"someone-else\"",
        "the user name \"localhost/greenhouse-01/\"",
        "the api-version \"latest\"",
        "no signature",
        "a wrong signature",
        "a token for ",
        "a token that has ended",
        "4 fields in a token",
        "another protocol than MQTT 3.1.1",
        "QoS 2",
        "262145 bytes",
        "devices/someone-else/messages",
        "\"greenhouse/air\"",
        "the property \"b c\"",
        "the property \"$.odd\"",
        "the filter \"devices/#\"",
    ] {
        assert!(reasons.contains(reason), "{reason} in:\n{reasons}");
    }
}

/// A device whose sensor is read each hour, so that nothing but what is said beside readings happens.
fn quiet_device(world: &World, double: &Double) -> Device {
    let device = world.device_with_key(double, KEY, "1h");
    device.edit_profile("interval: 100ms", "interval: 1h");
    device
}

/// Waits until the device reports this interval.
#[track_caller]
fn reports(world: &World, interval: &Value) {
    wait_for("the device to report the interval", || {
        (world.twin.reported()["sensors"]["cpu"]["interval"] == *interval).then_some(())
    });
}

fn wants(interval: &str) -> Value {
    json!({"sensors": {"cpu": {"interval": interval}}})
}

#[test]
fn a_twin_changes_how_often_a_sensor_is_read() {
    let world = World::new();
    let double = world.hub(HOST, Auth::Key(KEY.into()));
    world.twin.desire(&wants("30min"));
    let device = quiet_device(&world, &double);
    let agent = device.start(&[]);
    reports(&world, &json!("30min"));
    double.deliver(&world.twin.desire(&wants("200ms")));
    reports(&world, &json!("200ms"));
    nothing_is_missing(&messages(&double, 15));

    // while it is away nobody tells it: it asks
    double.put_out();
    world.twin.desire(&json!({"sensors": null}));
    reports(&world, &json!("1h"));
    double.deliver(&world.twin.desire(&json!({"lamp": "on"})));
    wait_for("the refusal", || world.twin.reported()["refused"][0].as_str().map(drop));
    assert_eq!(agent.count("cannot connect"), 0, "{}", agent.log());
    let refused = double.ledger().refused;
    // the connection that was broken above
    assert!(refused.iter().all(|why| why.starts_with("connection: ")), "{refused:?}");
}

#[test]
fn methods_are_answered_and_messages_kept_while_the_device_is_away() {
    let world = World::new();
    let double = world.hub(HOST, Auth::Key(KEY.into()));
    let device = quiet_device(&world, &double);
    let agent = device.start(&[]);
    reports(&world, &json!("1h"));
    let call = |name: &str, id: &str, argument: &str| {
        let topic = format!("$iothub/methods/POST/{name}/?$rid={id}");
        double.deliver(&[Delivery::new(topic, argument)]);
        wait_for("the answer", || {
            let asides = double.ledger().asides;
            let answer = asides.into_iter().find(|(topic, _)| topic.ends_with(&format!("={id}")));
            answer.filter(|(topic, _)| topic.starts_with("$iothub/methods/res/"))
        })
    };
    let (topic, said) = call("ping", "m1f", "null");
    assert_eq!((&*topic, &*said), ("$iothub/methods/res/200/?$rid=m1f", r#"{"pong":true}"#));
    let (topic, said) = call("read-sensor", "m2", r#"{"sensor":"cpu"}"#);
    let reading: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(topic, "$iothub/methods/res/200/?$rid=m2");
    assert_eq!(reading["temperature"], 48.312, "{said}");
    assert_eq!(call("dance", "m3", "").0, "$iothub/methods/res/404/?$rid=m3");
    assert_eq!(call("reboot", "m4", "").0, "$iothub/methods/res/200/?$rid=m4");
    wait_for("the request to systemd", || device.path("run/reboot").exists().then_some(()));

    assert_eq!(agent.terminate(), Some(0));
    let topic = "devices/greenhouse-01/messages/devicebound/%24.to=%2Fdevices%2Fgreenhouse-01";
    double.deliver(&[Delivery::new(topic, "on")]);
    let _agent = device.start(&[]);
    wait_for("what became of the message", || {
        world.twin.reported()["command"].as_str()?.contains("404").then_some(())
    });
    wait_for("the message to be done with", || {
        double.ledger().acknowledged.contains(&topic.to_owned()).then_some(())
    });
    assert!(double.ledger().refused.is_empty(), "{:?}", double.ledger().refused);
}

#[test]
fn the_double_satisfies_the_sdk_of_azure_in_what_comes_from_the_hub() {
    let world = World::new();
    let double = world.hub("localhost", Auth::Key(KEY.into()));
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, world.azure.pem()).unwrap();
    let port = double.port().to_string();
    let arguments = [port.as_ref(), ca.as_os_str(), DEVICE.as_ref(), KEY.as_ref()];
    world.twin.desire(&wants("30min"));
    let verdicts = std::thread::scope(|scope| {
        scope.spawn(|| {
            messages(&double, 1);
            let topic = format!("devices/{DEVICE}/messages/devicebound/%24.mid=7&colour=red");
            let mut deliveries = world.twin.desire(&wants("20min"));
            deliveries.push(Delivery::new("$iothub/methods/POST/ping/?$rid=1f", "{}"));
            deliveries.push(Delivery::new(topic, "on"));
            double.deliver(&deliveries);
        });
        judge("twin_judge.py", &arguments, "")
    });
    assert_eq!(
        verdicts,
        [
            r#"desired: {"$version": 2, "sensors": {"cpu": {"interval": "30min"}}}"#,
            r#"reported: {"$version": 2, "lamp": {"on": true}}"#,
            r#"patch: {"$version": 3, "sensors": {"cpu": {"interval": "20min"}}}"#,
            "method: ping {}",
            "message: 7 red on",
            "sdk: content",
        ]
    );
    assert_eq!(world.twin.reported(), json!({"lamp": {"on": true}}));
    let ledger = double.ledger();
    let answer = ("$iothub/methods/res/200/?$rid=1f".to_owned(), r#"{"pong": true}"#.to_owned());
    assert!(ledger.asides.contains(&answer), "{ledger:?}");
    assert!(ledger.refused.is_empty(), "{:?}", ledger.refused);
}
