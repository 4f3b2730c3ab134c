//! AWS IoT Core: the agent against a double that is as strict as the cloud, and the double against AWS's
//! own SDK.

use std::sync::Arc;

use crate::device::{Agent, Device, sequences};
use crate::doubles::aws::{Account, Policy};
use crate::doubles::server::Double;
use crate::doubles::shadow::Shadows;
use crate::judge::{content, judge};
use crate::support::authority::{Authority, Valid};
use crate::support::wait_for;

pub(crate) const ENDPOINT: &str = "a1b2c3-ats.iot.eu-west-1.amazonaws.com";
pub(crate) const THING: &str = "greenhouse-01";

pub(crate) struct World {
    pub(crate) amazon: Authority,
    pub(crate) devices: Authority,
    pub(crate) shadows: Arc<Shadows>,
}

impl World {
    pub(crate) fn new() -> Self {
        let [amazon, devices] = ["amazon", "devices"].map(Authority::new);
        Self { amazon, devices, shadows: Arc::default() }
    }

    pub(crate) fn account(
        &self,
        endpoint: &str,
        shared_port: bool,
        policy: (&str, &str),
    ) -> Double {
        self.account_with(&[endpoint], shared_port, policy)
    }

    /// The same with a certificate that bears several names, the endpoint's first.
    pub(crate) fn account_with(
        &self,
        names: &[&str],
        shared_port: bool,
        policy: (&str, &str),
    ) -> Double {
        let (own, endpoint) = (self.amazon.server(names, Valid::Now), names[0]);
        let policy = Policy {
            client: policy.0.into(),
            topics: policy.1.into(),
            shadow_of: Some(THING.into()),
            ..Policy::default()
        };
        let shadows = Arc::clone(&self.shadows);
        Account { endpoint: endpoint.into(), shared_port, policy, shadows }
            .open(&own, &self.devices)
    }

    /// What a judge says of a double on `localhost`, as the thing.
    pub(crate) fn judged(&self, script: &str, double: &Double) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let identity = self.devices.client(THING, Valid::Now);
        let files = [
            ("ca.pem", self.amazon.pem()),
            ("certificate.pem", &identity.certificate),
            ("private-key.pem", &identity.key),
        ];
        let files = files.map(|(name, text)| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        });
        let [ca, certificate, key] = files.each_ref().map(|path| path.as_os_str());
        let port = double.port().to_string();
        judge(script, &[port.as_ref(), ca, certificate, key, THING.as_ref()], "")
    }

    /// A thing whose profile says this port, and connects to the double.
    pub(crate) fn thing(&self, double: &Double, port: u16) -> Device {
        let device = Device::new("{}");
        let identity = self.devices.client(THING, Valid::Now);
        let ca = device.put("credentials/connect-ca.pem", self.amazon.pem());
        let certificate = device.put("credentials/certificate.pem", &identity.certificate);
        let key = device.put("credentials/private-key.pem", &identity.key);
        let [ca, certificate, key] = [&ca, &certificate, &key].map(|path| path.display());
        device.edit_profile(
            "mqtt: {}",
            &format!(
                "aws-iot: {{endpoint: {ENDPOINT}, port: {port}, thing: {THING}, \
                 identity: {{certificate: {certificate}, private_key: {key}}}, \
                 connect: {{address: '127.0.0.1:{}', ca: {ca}}}}}",
                double.port()
            ),
        );
        device
    }
}

/// Publishes until ten messages came, in order, and nothing was refused.
fn publishes(device: &Device, double: &Double) -> Agent {
    let agent = device.start(&[]);
    let ledger = wait_for("ten messages", || {
        Some(double.ledger()).filter(|ledger| ledger.messages.len() >= 10)
    });
    assert!(ledger.refused.is_empty() && ledger.discarded == 0, "{ledger:?}");
    let numbers = sequences(&ledger.messages);
    assert!(numbers.windows(2).all(|two| two[1] == two[0] + 1), "{numbers:?}");
    assert!(ledger.messages.iter().all(|(topic, _)| topic == "greenhouse-01/cpu"));
    assert_eq!(ledger.connects, [(THING.to_owned(), 60)]);
    agent
}

#[test]
fn a_thing_publishes_on_the_port_of_mqtt() {
    let world = World::new();
    let double = world.account(ENDPOINT, false, (THING, "greenhouse-01/"));
    let device = world.thing(&double, 8883);
    let agent = publishes(&device, &double);
    agent.wait_for_log(&format!("connected host={ENDPOINT}"));
    assert_eq!(agent.terminate(), Some(0));
    assert!(double.ledger().refused.is_empty(), "{:?}", double.ledger().refused);
}

#[test]
fn a_thing_publishes_where_only_443_gets_out() {
    let world = World::new();
    let double = world.account(ENDPOINT, true, (THING, "greenhouse-01/"));
    let device = world.thing(&double, 443);
    publishes(&device, &double);

    // on that port the cloud must be asked for MQTT: 8883 in the profile does not
    let silent = world.thing(&double, 8883);
    silent.start(&[]).wait_for_log("cannot connect");
    let refused = double.ledger().refused.join("\n");
    assert!(refused.contains("ALPN") || refused.contains("no application protocol"), "{refused}");
}

#[test]
fn a_policy_that_does_not_let_a_thing_in_is_named() {
    let world = World::new();
    let double = world.account(ENDPOINT, false, ("another", "greenhouse-01/"));
    let device = world.thing(&double, 8883);
    let agent = device.start(&[]);
    agent.wait_for_log("does that allow iot:Connect as client/greenhouse-01?");
    wait_for("it to be tried again", || (double.ledger().refused.len() > 5).then_some(()));
    assert_eq!(agent.count("cannot connect"), 1, "{}", agent.log());
}

#[test]
fn a_policy_that_denies_a_topic_is_named() {
    let world = World::new();
    let double = world.account(ENDPOINT, false, (THING, "elsewhere/"));
    let device = world.thing(&double, 8883);
    let agent = device.start(&[]);
    agent.wait_for_log("the policy may not allow iot:Publish to the sensors' topics");
}

#[test]
fn what_another_takes_over_is_named() {
    let world = World::new();
    let double = world.account(ENDPOINT, false, (THING, "greenhouse-01/"));
    let [first, second] = [(); 2].map(|()| world.thing(&double, 8883));
    let first = publishes(&first, &double);
    let _second = second.start(&[]);
    first.wait_for_log("or something else connects as greenhouse-01");
}

#[test]
fn amazon_is_trusted_and_nobody_else() {
    let world = World::new();
    let double = world.account(ENDPOINT, false, (THING, "greenhouse-01/"));
    let device = world.thing(&double, 8883);
    let ca = format!(", ca: {}", device.path("credentials/connect-ca.pem").display());
    device.edit_profile(&ca, "");
    let said = device.run(&["check"]);
    assert!(said.stdout.contains("trusts Amazon Root CA 1, "), "{said:?}");
    let agent = device.start(&[]);
    agent.wait_for_log("from an authority that the profile does not trust");
    assert!(double.ledger().messages.is_empty());
}

#[test]
fn the_double_satisfies_the_sdk_of_aws_and_is_as_strict_as_aws() {
    let world = World::new();
    let double = world.account("localhost", false, (THING, "greenhouse-01/"));
    content(&world.judged("aws_judge.py", &double), &["sdk: content"], 12);
    let ledger = double.ledger();
    let sent: Vec<_> = ledger.messages.iter().map(|(_, payload)| payload.as_str()).collect();
    assert_eq!(sent, ["0", "1", "2"], "what is refused does not arrive");
    let reasons = ledger.refused.join("\n");
    for reason in [
        "handshake:",
        "SNI:",
        "iot:Connect as someone-else",
        "the client id \"$thing\"",
        "QoS 2",
        "131073 bytes",
        "a/a/a/a/a/a/a/a",
        "the unknown topic",
        "iot:Publish to someone-else/a",
        "9 filters",
    ] {
        assert!(reasons.contains(reason), "{reason} in:\n{reasons}");
    }
}

/// Basic Ingest: to a rule and to nobody else.
#[test]
fn a_topic_of_a_rule_is_taken() {
    let world = World::new();
    let double = world.account(ENDPOINT, false, (THING, "$aws/rules/store/"));
    let device = world.thing(&double, 8883);
    device.edit_profile("topic: greenhouse-01/cpu", "topic: $aws/rules/store/greenhouse-01/cpu");
    let _agent = device.start(&[]);
    let ledger =
        wait_for("messages", || Some(double.ledger()).filter(|ledger| ledger.messages.len() >= 3));
    assert!(ledger.messages.iter().all(|(topic, _)| topic == "$aws/rules/store/greenhouse-01/cpu"));
    assert!(ledger.refused.is_empty(), "{ledger:?}");
}
