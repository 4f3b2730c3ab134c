use std::sync::mpsc::Receiver;

use tempfile::TempDir;

use super::*;
use crate::control::tests::controls;
use crate::sampler::Order;

/// A dialogue that has begun, with the device it is about.
struct Begun {
    shadow: ShadowDialogue,
    controls: Controls,
    told: Receiver<Order>,
    _state: TempDir,
}

const PREFIX: &str = "$aws/things/TestThingName/shadow/";

impl Begun {
    fn new() -> Self {
        let (state, controls, told) = controls();
        let mut shadow = ShadowDialogue::new("TestThingName", &Shadow::Classic, 0);
        assert_eq!(
            asked(&shadow.begin(&controls)),
            ("get".into(), json!({"clientToken": "imgbuild-0-1"}))
        );
        Self { shadow, controls, told, _state: state }
    }

    /// What is said to a message on the topic `action`; none: nothing.
    fn hears(&mut self, action: &str, said: &Value) -> Option<(String, Value)> {
        let topic = format!("{PREFIX}{action}");
        let answer = self.shadow.answer(&topic, said.to_string().as_bytes(), &mut self.controls);
        (!answer.is_empty()).then(|| asked(&answer))
    }

    fn interval(&self) -> Value {
        self.controls.report()["sensors"]["cpu"]["interval"].clone()
    }

    /// After the first answers: the shadow is there, at version 5.
    fn settled() -> Self {
        let mut begun = Self::new();
        begun.hears(
            "get/accepted",
            &json!({"state": {}, "version": 4, "clientToken": "imgbuild-0-1"}),
        );
        begun.hears("update/accepted", &json!({"version": 5, "clientToken": "imgbuild-0-2"}));
        assert!(!begun.shadow.is_waiting());
        begun
    }
}

fn asked(messages: &[Message]) -> (String, Value) {
    let [message] = messages else { panic!("{messages:?}") };
    let action = message.topic.strip_prefix(PREFIX).unwrap();
    (action.to_owned(), serde_json::from_str(&message.payload).unwrap())
}

/// The topics of aws/device-shadow-for-aws-iot-embedded-sdk, `test/unit-test/shadow_utest.c`.
#[test]
fn topics_are_those_of_the_thing_and_its_shadow() {
    let topics = |shadow: &Shadow| {
        let filters = ShadowDialogue::new("TestThingName", shadow, 0).filters();
        filters.into_iter().map(|filter| filter.topics).collect::<Vec<_>>()
    };
    let classic = topics(&Shadow::Classic);
    for topic in
        ["get/accepted", "get/rejected", "update/accepted", "update/rejected", "update/delta"]
    {
        assert!(classic.contains(&format!("$aws/things/TestThingName/shadow/{topic}")));
    }
    let named = topics(&Shadow::Named("TestShadowName".into()));
    assert_eq!(named[0], "$aws/things/TestThingName/shadow/name/TestShadowName/get/accepted");
    // what the service takes in one subscription
    assert!(classic.len() <= 8);
}

/// The same tests: what is no topic of this shadow.
#[test]
fn what_is_said_elsewhere_is_not_heard() {
    let mut begun = Begun::settled();
    let wants = json!({"state": {"sensors": {"cpu": {"interval": 1}}}, "version": 99}).to_string();
    for topic in [
        "$aws/things/",
        "$aws/things//",
        "$aws/things/TestThingName",
        "$aws/things/TestThingName/",
        "$aws/things/TestThingName/invalid",
        "$aws/things/TestThingName/shadow",
        "$aws/things/TestThingName/shadow/invalid/invalid",
        "$aws/things/TestThingName/shadow/get/rejected/gibberish",
        "$aws/things/TestThingName/shadow/update/delta/gibberish",
        "$aws/things/TestThingName/shadow/name/TestShadowName/update/delta",
        "$aws/things/OtherThing/shadow/update/delta",
        "$aws/jobs/TestThingName/shadow/get/rejected",
    ] {
        let answer = begun.shadow.answer(topic, wants.as_bytes(), &mut begun.controls);
        assert_eq!(answer, [], "{topic}");
    }
    assert_eq!(begun.interval(), "10s");
}

#[test]
fn what_is_desired_is_done_at_the_first_answer_and_reported_with_its_version() {
    let mut begun = Begun::new();
    assert!(begun.shadow.is_waiting());
    let said = json!({
        "state": {"desired": {"sensors": {"cpu": {"interval": "2s"}}}, "reported": {}},
        "version": 17,
        "clientToken": "imgbuild-0-1",
    });
    let (action, update) = begun.hears("get/accepted", &said).unwrap();
    assert_eq!((action.as_str(), &update["version"]), ("update", &json!(17)));
    assert_eq!(update["state"]["reported"], begun.controls.report());
    assert_eq!(update["state"]["reported"]["sensors"]["cpu"]["interval"], "2s");
    assert!(matches!(begun.told.try_recv(), Ok(Order::Pace(_))));
    assert_eq!(
        begun.hears("update/accepted", &json!({"version": 18, "clientToken": "imgbuild-0-2"})),
        None
    );
    assert!(!begun.shadow.is_waiting());
}

#[test]
fn a_delta_is_done_once_and_an_old_one_not_at_all() {
    let mut begun = Begun::settled();
    let delta = |version, interval| json!({"state": {"sensors": {"cpu": {"interval": interval}}}, "version": version});
    assert_eq!(begun.hears("update/delta", &delta(5, 1)), None);
    assert_eq!(begun.interval(), "10s");
    let (action, update) = begun.hears("update/delta", &delta(6, 3)).unwrap();
    assert_eq!((action.as_str(), &update["version"]), ("update", &json!(6)));
    assert_eq!(begun.interval(), 3);
    assert_eq!(begun.hears("update/delta", &delta(6, 4)), None);
    assert_eq!(begun.interval(), 3);
}

#[test]
fn a_shadow_that_is_not_there_is_made() {
    let mut begun = Begun::new();
    let said = json!({"code": 404, "message": "No shadow exists with name: 'TestThingName'", "clientToken": "imgbuild-0-1"});
    let (action, update) = begun.hears("get/rejected", &said).unwrap();
    assert_eq!(action, "update");
    assert_eq!(update.get("version"), None);
}

#[test]
fn who_was_overtaken_looks_again() {
    let mut begun = Begun::settled();
    let delta = json!({"state": {"sensors": {"cpu": {"interval": 1}}}, "version": 6});
    begun.hears("update/delta", &delta).unwrap();
    let said = json!({"code": 409, "message": "Version conflict", "clientToken": "imgbuild-0-3"});
    assert_eq!(begun.hears("update/rejected", &said).unwrap().0, "get");
}

#[test]
fn a_request_that_could_not_be_served_stays_open() {
    for code in [429, 500, 503] {
        let mut begun = Begun::new();
        let said = json!({"code": code, "message": "…", "clientToken": "imgbuild-0-1"});
        assert_eq!(begun.hears("get/rejected", &said), None);
        assert!(begun.shadow.is_waiting(), "{code}");
        assert_eq!(asked(&begun.shadow.begin(&begun.controls)).0, "get");
    }
    for code in [400, 401, 403, 413, 415, 422] {
        let mut begun = Begun::new();
        let said = json!({"code": code, "message": "…", "clientToken": "imgbuild-0-1"});
        assert_eq!(begun.hears("get/rejected", &said), None);
        assert!(!begun.shadow.is_waiting(), "{code}");
    }
}

#[test]
fn answers_to_others_are_not_ours() {
    let mut begun = Begun::new();
    for token in [json!("imgbuild-0-9"), json!("theirs"), json!(null)] {
        let said = json!({"state": {"desired": {"sensors": {"cpu": {"interval": 1}}}}, "version": 9, "clientToken": token});
        assert_eq!(begun.hears("get/accepted", &said), None);
    }
    assert!(begun.shadow.is_waiting());
    assert_eq!(begun.interval(), "10s");
}

#[test]
fn a_deleted_shadow_begins_again_with_any_version() {
    let mut begun = Begun::settled();
    assert_eq!(begun.hears("delete/accepted", &json!({"version": 5, "timestamp": 1})), None);
    let delta = json!({"state": {"sensors": {"cpu": {"interval": 1}}}, "version": 1});
    assert_eq!(begun.hears("update/delta", &delta).unwrap().0, "update");
}

#[test]
fn nonsense_is_not_answered() {
    let mut begun = Begun::new();
    for nonsense in ["", "{", "[]", "null", "7", "{\"version\": -1}", "\u{fffd}"] {
        let topic = format!("{PREFIX}update/delta");
        assert_eq!(begun.shadow.answer(&topic, nonsense.as_bytes(), &mut begun.controls), []);
    }
    for state in [json!(null), json!([]), json!("on")] {
        begun.hears("update/delta", &json!({"state": state, "version": 100}));
    }
    assert_eq!(begun.interval(), "10s");
}

/// The service tells whoever has subscribed what an update leaves different, the updater too, and in any order.
#[test]
fn what_its_own_report_leaves_different_is_no_news() {
    let mut begun = Begun::settled();
    let wish = json!({"state": {"lamp": "on"}, "version": 6, "clientToken": "theirs"});
    let (action, update) = begun.hears("update/delta", &wish).unwrap();
    assert_eq!((action.as_str(), &update["clientToken"]), ("update", &json!("imgbuild-0-3")));
    let own = json!({"state": {"lamp": "on"}, "version": 7, "clientToken": "imgbuild-0-3"});
    assert_eq!(begun.hears("update/delta", &own), None);
    let accepted = json!({"version": 7, "clientToken": "imgbuild-0-3"});
    assert_eq!(begun.hears("update/accepted", &accepted), None);
    assert!(!begun.shadow.is_waiting());
}
