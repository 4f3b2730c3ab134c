//! A broker of one's own: commands, a word on whether the device is there, QoS 2, several protocols on one port.

use serde_json::{Value, json};

use crate::aws::{ENDPOINT, THING, World};
use crate::device::Device;
use crate::support::broker::{Broker, Door, Judge};
use crate::support::process::command;
use crate::support::wait_for;

/// A device that reads its sensor each hour, with these keys in its `mqtt` section.
fn device(broker: &Broker, keys: &str) -> Device {
    let port = broker.port();
    let device = Device::new(&format!(
        "{{host: localhost, port: {port}, client_id: greenhouse-01, {keys}}}"
    ));
    device.edit_profile("interval: 100ms", "interval: 1h");
    device
}

fn publish(broker: &Broker, topic: &str, message: &str) {
    let port = broker.port().to_string();
    let mut publish = command("mosquitto_pub");
    publish.args(["-h", "localhost", "-q", "1", "-p", &port, "-t", topic, "-m", message]);
    assert!(publish.status().unwrap().success());
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Waits for the latest message on a topic to be this one.
#[track_caller]
fn says(judge: &Judge, topic: &str, count: usize) -> Vec<String> {
    wait_for("messages on the topic", || {
        let messages = judge.messages().into_iter();
        let own: Vec<_> = messages.filter(|(own, _)| own == topic).map(|(_, text)| text).collect();
        (own.len() >= count).then_some(own)
    })
}

#[test]
fn a_device_says_whether_it_is_there_and_the_broker_says_it_for_one_that_cannot() {
    let broker = Broker::start(&Door::default());
    let judge = broker.judge();
    let device = device(&broker, "status: greenhouse-01/status");
    let agent = device.start(&[]);
    assert_eq!(says(&judge, "greenhouse-01/status", 1), ["online"]);
    assert_eq!(agent.terminate(), Some(0));
    assert_eq!(says(&judge, "greenhouse-01/status", 2), ["online", "offline"]);
    let agent = device.start(&[]);
    says(&judge, "greenhouse-01/status", 3);
    agent.kill();
    let said = says(&judge, "greenhouse-01/status", 4);
    assert_eq!(said, ["online", "offline", "online", "offline"]);

    // who comes later is told too
    let port = broker.port().to_string();
    let mut later = command("mosquitto_sub");
    later.args([
        "-h",
        "localhost",
        "-p",
        &port,
        "-t",
        "greenhouse-01/status",
        "-C",
        "1",
        "-W",
        "10",
    ]);
    assert_eq!(String::from_utf8(later.output().unwrap().stdout).unwrap(), "offline\n");
}

#[test]
fn a_command_is_answered_also_one_that_came_while_the_device_was_away() {
    let broker = Broker::start(&Door::default());
    let judge = broker.judge();
    let device = device(&broker, "commands: greenhouse-01/commands");
    let agent = device.start(&[]);
    let (topic, answers) = ("greenhouse-01/commands", "greenhouse-01/commands/answer");
    // a command that comes before the device listens is nobody's
    wait_for("the subscription", || {
        broker.log().contains("Sending SUBACK to greenhouse-01").then_some(())
    });
    publish(&broker, topic, r#"{"command":"ping"}"#);
    let said = says(&judge, answers, 1);
    assert_eq!(parsed(&said[0]), json!({"answer": {"pong": true}, "status": 200}));
    publish(&broker, topic, r#"{"sensors":{"cpu":{"interval":"100ms"}}}"#);
    says(&judge, "greenhouse-01/cpu", 5);
    assert_eq!(agent.terminate(), Some(0));
    publish(&broker, topic, r#"{"output":"lamp","set":"on"}"#);
    let agent = device.start(&[]);
    let said = says(&judge, answers, 3);
    let error = "this device has no output `lamp`";
    assert_eq!(parsed(&said[2]), json!({"answer": {"error": error}, "status": 404}));
    // one that the broker keeps would be done at each start
    let port = broker.port().to_string();
    let mut retained = command("mosquitto_pub");
    retained.args([
        "-h",
        "localhost",
        "-p",
        &port,
        "-t",
        topic,
        "-r",
        "-m",
        r#"{"command":"reboot"}"#,
    ]);
    assert!(retained.status().unwrap().success());
    agent.kill();
    let agent = device.start(&[]);
    agent.wait_for_log("a command that the broker keeps is not done");
    // and the settings have outlived the restart
    let so_far = says(&judge, "greenhouse-01/cpu", 5).len();
    says(&judge, "greenhouse-01/cpu", so_far + 5);
}

#[test]
fn a_reading_at_qos_2_comes_once() {
    let broker = Broker::start(&Door::default());
    let judge = broker.judge();
    let device = device(&broker, "status: greenhouse-01/status");
    device.edit_profile("qos: 1", "qos: 2");
    device.edit_profile("interval: 1h", "interval: 100ms");
    let agent = device.start(&[]);
    says(&judge, "greenhouse-01/cpu", 10);
    assert_eq!(agent.terminate(), Some(0));
    let log = broker.log();
    assert!(log.contains("Sending PUBREC to greenhouse-01"), "{log}");
    assert!(log.contains("Sending PUBCOMP to greenhouse-01"), "{log}");
    let messages = judge.messages();
    let readings: Vec<_> = messages.iter().filter(|(topic, _)| topic.ends_with("/cpu")).collect();
    let mut once = readings.clone();
    once.dedup();
    assert_eq!(once, readings);
}

#[test]
fn a_port_of_several_protocols_is_asked_for_one() {
    let world = World::new();
    let double = world.account(ENDPOINT, true, (THING, "greenhouse-01/"));
    let device = Device::new("{}");
    let identity = world.devices.client(THING, crate::support::authority::Valid::Now);
    let files = [
        ("credentials/ca.pem", world.amazon.pem()),
        ("credentials/device.pem", &identity.certificate),
        ("credentials/device.key", &identity.key),
    ];
    let [ca, certificate, key] =
        files.map(|(name, text)| device.put(name, text).display().to_string());
    device.edit_profile(
        "mqtt: {}",
        &format!(
            "mqtt: {{host: {ENDPOINT}, port: 443, client_id: {THING}, \
             tls: {{ca: {ca}, identity: {{certificate: {certificate}, private_key: {key}}}, alpn: [x-amzn-mqtt-ca]}}, \
             connect: {{address: '127.0.0.1:{}'}}}}",
            double.port()
        ),
    );
    let said = device.run(&["check"]);
    assert!(said.stdout.contains("asks for the protocol x-amzn-mqtt-ca"), "{said:?}");
    let _agent = device.start(&[]);
    wait_for("messages", || (double.ledger().messages.len() >= 3).then_some(()));
    assert!(double.ledger().refused.is_empty(), "{:?}", double.ledger().refused);
}
