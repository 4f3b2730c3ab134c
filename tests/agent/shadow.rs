//! The device shadow of AWS: the agent against a double; and the double, judged by AWS's own SDK, and by moto,
//! whose cases were run against AWS itself.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::aws::{ENDPOINT, THING, World};
use crate::device::Device;
use crate::doubles::aws::{Account, Policy};
use crate::doubles::server::Double;
use crate::doubles::shadow::Shadow;
use crate::judge::judge;
use crate::random::Random;
use crate::support::authority::Valid;
use crate::support::wait_for;

const SHADOW: &str = "$aws/things/greenhouse-01/shadow";

/// What an operator does with the thing's shadow: the answers go to whoever listens.
fn operate(world: &World, double: &Double, action: &str, body: &Value) {
    double.deliver(&world.shadows.ask(SHADOW, action, body.to_string().as_bytes()));
}

fn reported(world: &World) -> Value {
    world.shadows.shadow(SHADOW).state()["reported"].clone()
}

/// Waits until the device reports this interval.
#[track_caller]
fn reports(world: &World, interval: &Value) {
    wait_for("the device to report the interval", || {
        (reported(world)["sensors"]["cpu"]["interval"] == *interval).then_some(())
    });
}

fn thing_with_shadow(world: &World, double: &Double) -> Device {
    let device = world.thing(double, 8883);
    device.edit_profile("port: 8883", "shadow: classic, port: 8883");
    device
}

#[test]
fn a_shadow_changes_how_often_a_sensor_is_read() {
    let world = World::new();
    let double = world.account(ENDPOINT, false, (THING, "greenhouse-01/"));
    let device = thing_with_shadow(&world, &double);
    device.edit_profile("interval: 100ms", "interval: 1h");
    let agent = device.start(&[]);

    // there is none yet: the device makes it
    reports(&world, &json!("1h"));
    let wants = |sensor: Value| json!({"state": {"desired": {"sensors": {"cpu": sensor}}}});
    operate(&world, &double, "update", &wants(json!({"interval": "200ms"})));
    reports(&world, &json!("200ms"));
    wait_for("messages each 200 ms", || (double.ledger().messages.len() >= 15).then_some(()));
    assert_eq!(world.shadows.shadow(SHADOW).delta(), None);

    operate(&world, &double, "update", &wants(json!({"enabled": false})));
    wait_for("the device to be told", || {
        (reported(&world)["sensors"]["cpu"]["enabled"] == json!(false)).then_some(())
    });
    operate(&world, &double, "update", &wants(json!({"interval": "soon"})));
    wait_for("the refusal", || reported(&world)["refused"][0].as_str().map(drop));
    agent.wait_for_log("the cloud wants what cannot be refused=\"sensors/cpu/interval: ");
    // what cannot be stays wanted, and that is no reason to say it again and again
    let said = double.ledger().asides.len();
    let telling = |(topic, _): &&(String, String)| !topic.starts_with('$');
    let count = double.ledger().messages.iter().filter(telling).count();
    std::thread::sleep(Duration::from_secs(1));
    let ledger = double.ledger();
    assert_eq!(ledger.messages.iter().filter(telling).count(), count, "it rests");
    assert!(ledger.asides.len() <= said + 1, "{:?}", ledger.asides);
    assert!(ledger.refused.is_empty(), "{:?}", ledger.refused);
}

#[test]
fn what_is_wanted_of_a_device_that_is_away_is_done_when_it_is_back() {
    let world = World::new();
    let double = world.account(ENDPOINT, false, (THING, "greenhouse-01/"));
    let device = thing_with_shadow(&world, &double);
    device.edit_profile("interval: 100ms", "interval: 1h");
    let wants = |interval: &str| json!({"state": {"desired": {"sensors": {"cpu": {"interval": interval}}}}});
    operate(&world, &double, "update", &wants("30min"));
    let agent = device.start(&[]);
    reports(&world, &json!("30min"));

    // a broken connection: the broker keeps what was said, and need not be asked again
    double.put_out();
    operate(&world, &double, "update", &wants("20min"));
    reports(&world, &json!("20min"));
    assert_eq!(double.ledger().subscriptions, 1);
    let delta = format!("{SHADOW}/update/delta");
    assert!(double.ledger().acknowledged.contains(&delta), "{:?}", double.ledger());

    // a restart: it goes on as it was told, also while the cloud is away
    assert_eq!(agent.terminate(), Some(0));
    assert!(std::fs::read_to_string(device.path("state/settings.json")).unwrap().contains("20min"));
    operate(&world, &double, "update", &wants("10min"));
    let _agent = device.start(&[]);
    reports(&world, &json!("10min"));
    operate(&world, &double, "delete", &json!({}));
    operate(&world, &double, "update", &wants("5min"));
    reports(&world, &json!("5min"));
    let refused = double.ledger().refused;
    // the connection that was broken above
    assert!(refused.iter().all(|why| why.starts_with("connection: ")), "{refused:?}");
}

#[test]
fn a_policy_without_the_shadow_is_named() {
    let world = World::new();
    let own = world.amazon.server(&[ENDPOINT], Valid::Now);
    let topics = "greenhouse-01/".into();
    let policy = Policy { client: THING.into(), topics, ..Policy::default() };
    let shadows = Arc::clone(&world.shadows);
    let account = Account { endpoint: ENDPOINT.into(), shared_port: false, policy, shadows };
    let double = account.open(&own, &world.devices);
    let device = thing_with_shadow(&world, &double);
    let agent = device.start(&[]);
    agent.wait_for_log("iot:Subscribe and iot:Receive on its shadow's");
}

/// getmoto/moto, `tests/test_iotdata/test_iotdata.py`: the states that AWS itself was asked about.
fn verified() -> Vec<(Value, Value)> {
    [
        (json!({"desired": {"online": true}, "reported": {"online": false}}), json!({"online": true})),
        (json!({"desired": {"enabled": true}, "reported": {}}), json!({"enabled": true})),
        (json!({"desired": {"online": true}, "reported": {"online": true}}), json!(null)),
        (
            json!({"desired": {"a": ["value_1"]}, "reported": {"a": ["value_1", "value_2"]}}),
            json!({"a": ["value_1"]}),
        ),
        (
            json!({"desired": {"a": {"b": {"c": "d2", "e": "f"}}}, "reported": {"a": {"b": {"c": "d", "e": "f"}}}}),
            json!({"a": {"b": {"c": "d2"}}}),
        ),
        (
            json!({"desired": {"a": {"b": "c"}, "a2": {"b2": "sth"}}, "reported": {"a": {"b": "c"}}}),
            json!({"a2": {"b2": "sth"}}),
        ),
        (json!({"reported": {"online": null}}), json!(null)),
        (json!(null), json!(null)),
    ]
    .map(|(state, delta)| (json!({"state": state}), delta))
    .to_vec()
}

/// What the double makes of updates: a state and a version, or the code of a refusal.
fn result(updates: &[Value]) -> Value {
    let mut shadow = Shadow::default();
    for update in updates {
        if let Err((code, _)) = shadow.update(update) {
            return code.into();
        }
    }
    json!({"state": shadow.state(), "version": updates.len()})
}

fn object(random: &mut Random, depth: usize) -> Value {
    // what AWS makes of an object that is empty is not known: none is
    let mut map = Map::from_iter([("z".to_owned(), json!(random.below(2)))]);
    let leaves = [json!(1), json!("x"), json!(["x", 1]), json!(["x"]), json!(null)];
    for key in ["a", "b", "c"] {
        match random.below(if depth > 0 { 3 } else { 2 }) {
            0 => {}
            1 => drop(map.insert(key.into(), random.of(&leaves).clone())),
            _ => drop(map.insert(key.into(), object(random, depth - 1))),
        }
    }
    map.into()
}

fn update(random: &mut Random, version: usize) -> Value {
    let mut body = json!({"state": {}});
    for part in ["desired", "reported"] {
        if random.below(3) > 0 {
            body["state"][part] = object(random, 2);
        }
    }
    // moto knows no version of a shadow that is not there
    if version > 0 && random.below(4) == 0 {
        body["version"] = (version + usize::from(random.below(4) == 0)).into();
    }
    body
}

/// Where the device reports more than is desired and nothing else, moto leaves an empty object in the delta. None of the
/// cases that AWS was asked about is like that, and it says nothing: it is left out.
fn prune(map: &mut Map<String, Value>) {
    map.retain(|_, value| {
        let Some(inner) = value.as_object_mut() else { return true };
        prune(inner);
        !inner.is_empty()
    });
}

#[test]
fn deltas_are_those_of_aws_as_moto_knows_them() {
    let mut cases: Vec<Vec<Value>> = Vec::new();
    for (body, delta) in verified() {
        let found = result(std::slice::from_ref(&body));
        assert_eq!(found["state"].get("delta").unwrap_or(&Value::Null), &delta, "{body}");
        cases.push(vec![body]);
    }
    let mut random = Random::new(20_261_121);
    for _ in 0..300 {
        let count = 1 + random.below(4);
        cases.push((0..count).map(|version| update(&mut random, version)).collect());
    }
    let verdicts = judge("moto_judge.py", &[], &json!(cases).to_string()).concat();
    let verdicts: Vec<Value> = serde_json::from_str(&verdicts).unwrap();
    assert_eq!(verdicts.len(), cases.len());
    for (case, mut verdict) in cases.iter().zip(verdicts) {
        if let Some(state) = verdict.get_mut("state").and_then(Value::as_object_mut) {
            prune(state);
        }
        assert_eq!(result(case), verdict, "{}", json!(case));
    }
}

#[test]
fn the_double_satisfies_the_shadow_client_of_aws() {
    let world = World::new();
    let double = world.account("localhost", false, ("greenhouse-01*", "greenhouse-01/"));
    let verdicts = world.judged("shadow_judge.py", &double);
    assert_eq!(
        verdicts,
        [
            "shadowGet: rejected 404",
            "shadowUpdate: accepted",
            "shadowUpdate: accepted",
            "shadowGet: accepted",
            "shadowUpdate: rejected 409",
            "shadowUpdate: accepted",
            "shadowGet: accepted",
            "shadowUpdate: rejected 400",
            "shadowDelete: accepted",
            "shadowGet: rejected 404",
            "sdk: content",
        ]
    );
    assert!(double.ledger().refused.is_empty(), "{:?}", double.ledger().refused);
}
