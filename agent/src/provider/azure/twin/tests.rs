use std::sync::mpsc::Receiver;

use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::control::tests::controls;
use crate::sampler::Order;

struct Begun {
    hub: HubDialogue,
    controls: Controls,
    _told: Receiver<Order>,
    _state: TempDir,
}

impl Begun {
    fn new() -> Self {
        let (state, controls, told) = controls();
        let mut hub = HubDialogue::new("my_device");
        let asked = hub.begin(&controls);
        let get = Message::new("$iothub/twin/GET/?$rid=1", "", QoS::AtMostOnce);
        assert_eq!(asked, [get]);
        Self { hub, controls, _told: told, _state: state }
    }

    /// What is said to a message: topic and payload; none: nothing.
    fn hears(&mut self, topic: &str, payload: &str) -> Option<(String, Value)> {
        let said = self.hears_raw(topic, payload);
        said.map(|(topic, payload)| (topic, serde_json::from_str(&payload).unwrap()))
    }

    /// The same, its payload as it is.
    fn hears_raw(&mut self, topic: &str, payload: &str) -> Option<(String, String)> {
        let mut said = self.hub.answer(topic, payload.as_bytes(), &mut self.controls);
        assert!(said.len() <= 1);
        said.pop().map(|said| (said.topic, said.payload))
    }

    fn interval(&self) -> Value {
        self.controls.report()["sensors"]["cpu"]["interval"].clone()
    }

    fn settled() -> Self {
        let mut begun = Self::new();
        let twin = json!({"desired": {"$version": 3}, "reported": {"$version": 1}});
        let (topic, _) = begun.hears("$iothub/twin/res/200/?$rid=1", &twin.to_string()).unwrap();
        assert_eq!(topic, "$iothub/twin/PATCH/properties/reported/?$rid=2");
        assert_eq!(begun.hears("$iothub/twin/res/204/?$rid=2&$version=2", ""), None);
        assert!(!begun.hub.is_waiting());
        begun
    }
}

/// What a report says of the last command, which is a text.
fn last_command(report: &Value) -> Value {
    serde_json::from_str(report["command"].as_str().unwrap()).unwrap()
}

#[test]
fn a_hub_takes_five_subscriptions_and_gets_four() {
    let filters = HubDialogue::new("my_device").filters();
    let topics: Vec<_> = filters.iter().map(|filter| filter.topics.as_str()).collect();
    assert_eq!(
        topics,
        [
            "devices/my_device/messages/devicebound/#",
            "$iothub/methods/POST/#",
            "$iothub/twin/res/#",
            "$iothub/twin/PATCH/properties/desired/#",
        ]
    );
}

#[test]
fn what_is_desired_is_done_and_reported() {
    let mut begun = Begun::new();
    let twin = json!({
        "desired": {"sensors": {"cpu": {"interval": "2s"}}, "$version": 7, "$metadata": {}},
        "reported": {"$version": 1},
    });
    let (_, report) = begun.hears("$iothub/twin/res/200/?$rid=1", &twin.to_string()).unwrap();
    assert_eq!(report, begun.controls.report());
    assert_eq!(begun.interval(), "2s");
    // what the hub writes into it is no wish
    assert_eq!(report["refused"], Value::Null);
}

#[test]
fn what_was_wished_while_the_device_was_away_is_done_and_what_is_no_longer_wished_undone() {
    let mut begun = Begun::settled();
    let get = |begun: &mut Begun, desired: &Value| {
        let asked = begun.hub.begin(&begun.controls);
        let (_, id) = asked[0].topic.split_once('=').unwrap();
        let twin = json!({"desired": desired}).to_string();
        begun.hears(&format!("$iothub/twin/res/200/?$rid={id}"), &twin).unwrap();
        begun.interval()
    };
    let cpu = json!({"cpu": {"interval": "2s"}});
    assert_eq!(get(&mut begun, &json!({"sensors": cpu, "$version": 4})), "2s");
    // nothing has changed at the hub: what was set by hand holds
    begun.controls.command("set-config", &json!({"sensors": {"cpu": {"interval": "3s"}}}));
    assert_eq!(get(&mut begun, &json!({"sensors": cpu, "$version": 4})), "3s");
    assert_eq!(get(&mut begun, &json!({"$version": 5})), "10s");
}

#[test]
fn newer_wishes_are_done_and_older_ones_not() {
    let mut begun = Begun::settled();
    let patch = |interval: u64, version: u64| {
        json!({"sensors": {"cpu": {"interval": interval}}, "$version": version}).to_string()
    };
    let topic = |version: u64| format!("{DESIRED}$version={version}");
    assert_eq!(begun.hears(&topic(3), &patch(1, 3)), None);
    assert!(begun.hears(&topic(4), &patch(5, 4)).is_some());
    assert_eq!(begun.interval(), 5);
    assert_eq!(begun.hears(&topic(4), &patch(6, 4)), None);
    assert!(begun.hears(&topic(5), &json!({"sensors": null}).to_string()).is_some());
    assert_eq!(begun.interval(), "10s");
    // one was missed: the twin is asked for
    let (topic, _) = begun.hears_raw(&topic(7), &patch(6, 7)).unwrap();
    assert!(topic.starts_with("$iothub/twin/GET/"), "{topic}");
}

/// Azure/azure-sdk-for-c, `sdk/tests/iot/hub/test_az_iot_hub_client_twin.c`: versions and ids are opaque there.
#[test]
fn a_version_that_is_no_number_counts_as_new() {
    let mut begun = Begun::settled();
    let topic = "$iothub/twin/PATCH/properties/desired/?$version=id_one";
    assert!(begun.hears(topic, r#"{"sensors": {"cpu": {"interval": 1}}}"#).is_some());
    assert_eq!(begun.interval(), 1);
}

/// The same, and `…_methods.c`: what is no answer and no call.
#[test]
fn what_is_said_elsewhere_is_not_heard() {
    let mut begun = Begun::new();
    for topic in [
        "$iothub/twin/rez/200/?$rid=1",
        "$iothub/twin/res/200",
        "$iothub/twin/res/200/?$rid=2",
        "$iothub/twin/res/200/?$rid=id_one",
        "$iothub/contoso/res/200/?$rid=1",
        "$iothub/methods/res/200/?$rid=2",
        "$iothub/methods/POST/ping",
        "$iothub/methods/POST/ping/?$id=1",
        "devices/other/messages/devicebound/%24.mid=1",
    ] {
        assert_eq!(begun.hears(topic, "{}"), None, "{topic}");
        assert!(begun.hub.is_waiting(), "{topic}");
    }
}

/// The same tests: the answer goes back to the call, whatever its id looks like.
#[test]
fn a_method_is_answered() {
    let mut begun = Begun::settled();
    for (call, payload, answer, body) in [
        ("ping/?$rid=1", "null", "200/?$rid=1", json!({"pong": true})),
        ("ping/?$rid=1f", "", "200/?$rid=1f", json!({"pong": true})),
        (
            "TestMethod/?$rid=2",
            "{}",
            "404/?$rid=2",
            json!({"error": "this device has no such command"}),
        ),
        (
            "read-sensor/?$rid=3",
            r#"{"sensor":"cpu"}"#,
            "409/?$rid=3",
            json!({"error": "it has not been read yet"}),
        ),
    ] {
        let said = begun.hears(&format!("$iothub/methods/POST/{call}"), payload);
        assert_eq!(said, Some((format!("$iothub/methods/res/{answer}"), body)));
    }
}

/// Topics of Azure/azure-iot-sdk-python and Azure/azure-sdk-for-c (`test_az_iot_hub_client_c2d.c`): encoded and not.
#[test]
fn a_message_is_a_command_whatever_its_properties() {
    for bag in [
        "%24.mid=6b822696-f75a-46f5-8b02-0680db65abf5&%24.to=%2Fdevices%2Fmy_device",
        "$.mid=79eadb01-bd0d-472d-bd35-ccb76e70eab8&$.to=/devices/my_device/messages/deviceBound&abc=123",
        "",
    ] {
        let mut begun = Begun::settled();
        let topic = format!("devices/my_device/messages/devicebound/{bag}");
        let (_, report) = begun.hears(&topic, r#"{"command": "ping"}"#).unwrap();
        assert_eq!(last_command(&report), json!({"answer": {"pong": true}, "status": 200}));
    }
}

#[test]
fn a_request_that_could_not_be_served_stays_open() {
    for (status, stays) in [("429", true), ("503", true), ("400", false), ("412", false)] {
        let mut begun = Begun::new();
        assert_eq!(begun.hears(&format!("$iothub/twin/res/{status}/?$rid=1"), ""), None);
        assert_eq!(begun.hub.is_waiting(), stays, "{status}");
    }
}

#[test]
fn parameters_may_stand_in_any_order() {
    assert_eq!(parameter("$version=16&$rid=4", "$rid"), Some("4"));
    assert_eq!(parameter("$rid=4", "$version"), None);
}

/// The hub delivers what it has kept before it answers.
#[test]
fn a_message_or_a_wish_that_comes_before_the_twin_does_not_lose_it() {
    let mut begun = Begun::new();
    let message = "devices/my_device/messages/devicebound/";
    assert_eq!(begun.hears(message, r#"{"command": "ping"}"#), None);
    let wish = r#"{"sensors": {"cpu": {"interval": 1}}, "$version": 9}"#;
    let (again, _) = begun.hears_raw(&format!("{DESIRED}$version=9"), wish).unwrap();
    assert_eq!(again, "$iothub/twin/GET/?$rid=2");
    let old = json!({"desired": {"$version": 8}}).to_string();
    assert_eq!(begun.hears("$iothub/twin/res/200/?$rid=1", &old), None);
    let twin = json!({"desired": {"sensors": {"cpu": {"interval": 1}}, "$version": 9}});
    let (_, report) = begun.hears("$iothub/twin/res/200/?$rid=2", &twin.to_string()).unwrap();
    assert_eq!(begun.interval(), 1);
    assert_eq!(last_command(&report), json!({"answer": {"pong": true}, "status": 200}));
}

#[test]
fn settings_by_a_method_are_answered_and_reported() {
    let mut begun = Begun::settled();
    let payload = br#"{"sensors": {"cpu": {"interval": "4s"}}}"#;
    let topic = "$iothub/methods/POST/set-config/?$rid=1";
    let said = begun.hub.answer(topic, payload, &mut begun.controls);
    let topics: Vec<_> = said.iter().map(|said| said.topic.as_str()).collect();
    let patch = "$iothub/twin/PATCH/properties/reported/?$rid=3";
    assert_eq!(topics, ["$iothub/methods/res/200/?$rid=1", patch]);
    assert!(said[1].payload.contains("4s"), "{said:?}");
}
