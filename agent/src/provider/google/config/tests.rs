use serde_json::json;

use super::*;
use crate::control::tests::controls;

#[test]
fn a_configuration_holds_whole_and_is_acknowledged_in_the_state() {
    let (_state, mut controls, _told) = controls();
    let mut registry = RegistryDialogue::new("greenhouse-01");
    let config = "/devices/greenhouse-01/config";
    let interval = |controls: &Controls| controls.report()["sensors"]["cpu"]["interval"].clone();
    let wants = json!({"sensors": {"cpu": {"interval": "3s"}}}).to_string();
    assert_eq!(registry.answer(config, wants.as_bytes(), &mut controls), []);
    assert_eq!(interval(&controls), "3s");

    let now = Instant::now();
    let state = registry.due(now, &controls);
    assert_eq!(state[0].topic, "/devices/greenhouse-01/state");
    assert_eq!(state[0].payload, controls.whole().to_string());
    // no nulls: nothing keeps them
    assert!(!state[0].payload.contains("null"), "{}", state[0].payload);

    // what it does not say is as in the profile
    registry.answer(config, br#"{"sensors":{"cpu":{"enabled":false}}}"#, &mut controls);
    assert_eq!(interval(&controls), "10s");
    registry.answer(config, wants.as_bytes(), &mut controls);
    assert_eq!(controls.report()["sensors"]["cpu"]["enabled"], true);
    registry.answer(config, b"", &mut controls);
    assert_eq!(interval(&controls), "10s");
    for nonsense in ["[]", "x", "\"on\""] {
        registry.answer(config, nonsense.as_bytes(), &mut controls);
    }
    assert_eq!(interval(&controls), "10s");
}

#[test]
fn a_state_is_told_once_a_second_at_most_and_not_without_news() {
    let (_state, mut controls, _told) = controls();
    let mut registry = RegistryDialogue::new("greenhouse-01");
    assert_eq!(registry.begin(&controls), []);
    let begin = Instant::now();
    let mut told = Vec::new();
    for tenth in 0..100 {
        if tenth < 50 {
            let commands = "/devices/greenhouse-01/commands/lamp";
            registry.answer(commands, b"{\"command\":\"ping\"}", &mut controls);
        }
        let now = begin + Duration::from_millis(100) * tenth;
        told.extend(registry.due(now, &controls).iter().map(|_| now));
    }
    let second = Duration::from_secs(1);
    assert!(told.windows(2).all(|two| two[1] - two[0] > second), "{told:?}");
    assert_eq!(told.len(), 3, "{told:?}");
}

#[test]
fn what_is_for_another_device_is_not_heard() {
    let (_state, mut controls, _told) = controls();
    let mut registry = RegistryDialogue::new("greenhouse-01");
    let wants = json!({"sensors": {"cpu": {"interval": "3s"}}}).to_string();
    for topic in ["/devices/greenhouse-011/config", "devices/greenhouse-01/config", "config"] {
        registry.answer(topic, wants.as_bytes(), &mut controls);
    }
    assert_eq!(controls.report()["sensors"]["cpu"]["interval"], "10s");
}
