use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::sampler::Pace;

/// Controls of the test profile, whose one sensor is `cpu`, read each 10 s.
pub(crate) fn controls() -> (TempDir, Controls, Receiver<Order>) {
    let state = tempfile::tempdir().unwrap();
    let (controls, paces) = reopened(state.path());
    (state, controls, paces)
}

fn reopened(state: &Path) -> (Controls, Receiver<Order>) {
    let profile: imgbuild_schema::CardProfile =
        imgbuild_schema::yaml::parse(crate::config::tests::PROFILE).unwrap();
    let (sampler, paces) = mpsc::channel();
    (Controls::open(&profile.sensors, state, state, sampler), paces)
}

fn wants(controls: &mut Controls, desired: &Value) {
    controls.desire(desired.as_object().unwrap(), None);
}

#[test]
fn what_is_wanted_is_done_reported_in_the_same_words_and_kept() {
    let (state, mut controls, paces) = controls();
    assert_eq!(
        controls.report(),
        json!({
            "sensors": {"cpu": {"interval": "10s", "enabled": true}},
            "refused": null,
            "command": null,
        })
    );
    for (said, length) in [(json!(2.5), 2_500), (json!("1min"), 60_000), (json!(3), 3_000)] {
        wants(&mut controls, &json!({"sensors": {"cpu": {"interval": said}}}));
        assert_eq!(controls.report()["sensors"]["cpu"]["interval"], said);
        let pace = Pace { interval: Duration::from_millis(length), enabled: true };
        assert_eq!(paces.try_recv().unwrap(), Order::Pace(vec![pace]));
    }
    wants(&mut controls, &json!({"sensors": {"cpu": {"enabled": false}}}));
    let pace = Pace { interval: Duration::from_secs(3), enabled: false };
    assert_eq!(paces.try_recv().unwrap(), Order::Pace(vec![pace]));
    // the same once more changes nothing
    wants(&mut controls, &json!({"sensors": {"cpu": {"enabled": false}}}));
    assert!(paces.try_recv().is_err());
    let (after, paces) = reopened(state.path());
    assert_eq!(
        (after.report(), paces.try_recv().unwrap()),
        (controls.report(), Order::Pace(vec![pace]))
    );
}

#[test]
fn null_is_what_the_profile_says() {
    let (state, mut controls, _paces) = controls();
    let usual = controls.report();
    let changed = json!({"sensors": {"cpu": {"interval": 1, "enabled": false}}});
    for back in [
        json!({"sensors": {"cpu": null}}),
        json!({"sensors": {"cpu": {"interval": null, "enabled": null}}}),
    ] {
        wants(&mut controls, &changed);
        assert_ne!(controls.report(), usual);
        wants(&mut controls, &back);
        assert_eq!(controls.report(), usual);
    }
    assert_eq!(reopened(state.path()).0.report(), usual);
}

#[test]
fn what_cannot_be_is_refused_with_its_place_and_the_rest_is_done() {
    let (_state, mut controls, _paces) = controls();
    for (wanted, path, reason) in [
        (json!({"lamp": "on"}), "lamp", "this device has no such setting"),
        (json!({"sensors": 1}), "sensors", "is not an object"),
        (json!({"sensors": {"air": {}}}), "sensors/air", "this device has no such sensor"),
        (json!({"sensors": {"cpu": true}}), "sensors/cpu", "is not an object"),
        (
            json!({"sensors": {"cpu": {"intervall": 1}}}),
            "sensors/cpu/intervall",
            "a sensor has `interval` and `enabled`",
        ),
        (
            json!({"sensors": {"cpu": {"interval": 0.01}}}),
            "sensors/cpu/interval",
            "an interval is 100ms to 366d",
        ),
        (
            json!({"sensors": {"cpu": {"interval": -1}}}),
            "sensors/cpu/interval",
            "`-1` is no number of seconds",
        ),
        (
            json!({"sensors": {"cpu": {"interval": 1e300}}}),
            "sensors/cpu/interval",
            "`1e+300` is no number of seconds",
        ),
        (
            json!({"sensors": {"cpu": {"interval": "10"}}}),
            "sensors/cpu/interval",
            "`10` has no unit; write `10s` for seconds",
        ),
        (
            json!({"sensors": {"cpu": {"enabled": "off"}}}),
            "sensors/cpu/enabled",
            "write `true` or `false`",
        ),
    ] {
        wants(&mut controls, &wanted);
        assert_eq!(controls.report()["refused"], json!([format!("{path}: {reason}")]), "{wanted}");
    }
    let both = json!({"sensors": {"air": {"interval": 1}, "cpu": {"interval": 7}}});
    wants(&mut controls, &both);
    let report = controls.report();
    assert_eq!(report["sensors"]["cpu"]["interval"], 7);
    assert_eq!(report["refused"], json!(["sensors/air: this device has no such sensor"]));
    // and a document in which all is well takes the refusals back
    wants(&mut controls, &json!({}));
    assert_eq!(controls.report()["refused"], Value::Null);
}

#[test]
fn a_report_stays_small_whatever_is_wanted() {
    let (_state, mut controls, _paces) = controls();
    let many = (0..1000).map(|n| (format!("{n:0>500}"), json!(1))).collect();
    controls.desire(&many, None);
    assert!(controls.report().to_string().len() < 4096);
    wants(&mut controls, &json!({"sensors": {"cpu": {"interval": "9".repeat(8000)}}}));
    assert!(controls.report().to_string().len() < 4096);
}

#[test]
fn a_file_that_is_not_ours_counts_as_none() {
    let state = tempfile::tempdir().unwrap();
    for text in ["", "{", "[]", "{\"sensors\": {\"gone\": {\"interval\": 1}}}"] {
        std::fs::write(state.path().join(kept::FILE), text).unwrap();
        let (controls, _paces) = reopened(state.path());
        assert_eq!(controls.report()["sensors"]["cpu"]["interval"], "10s", "{text}");
        assert_eq!(controls.report()["refused"], Value::Null);
    }
}

#[test]
fn a_command_means_the_same_however_it_is_said() {
    let (_state, mut controls, _paces) = controls();
    let latest = r#"{"sequence":17,"sensor":"cpu","temperature":48.3}"#;
    let refused = |error: &str| json!({ "error": error });
    for (said, status, body) in [
        (r#"{"command":"ping"}"#, 200, json!({"pong": true})),
        (r#"{"command":"read-sensor","sensor":"cpu"}"#, 409, refused("it has not been read yet")),
        (
            r#"{"command":"read-sensor","sensor":"air"}"#,
            404,
            refused("this device has no such sensor"),
        ),
        (r#"{"command":"read-sensor"}"#, 400, refused("say which: {\"sensor\": …}")),
        (r#"{"command":"dance"}"#, 404, refused("this device has no such command")),
        (r#"{"command":7}"#, 404, refused("this device has no such command")),
        ("{}", 404, refused("this device has no such command")),
        ("on", 404, refused("this device has no output ``")),
        (r#"{"output":"lamp","set":"on"}"#, 404, refused("this device has no output `lamp`")),
        ("dance", 400, refused("write a JSON object, or `on` or `off`")),
        ("[1]", 400, refused("write a JSON object, or `on` or `off`")),
        ("", 400, refused("write a JSON object, or `on` or `off`")),
    ] {
        let answer = controls.message(said.as_bytes());
        assert_eq!((answer.status, &answer.body), (status, &body), "{said}");
        assert_eq!(controls.report()["command"], answer.document().to_string());
    }
    controls.sampled(0, latest.into());
    let answer = controls.command("read-sensor", &json!({"sensor": "cpu"}));
    assert_eq!((answer.status, answer.body["sequence"].clone()), (200, json!(17)));
}

#[test]
fn settings_may_come_as_a_command() {
    let (_state, mut controls, _paces) = controls();
    let said = r#"{"sensors":{"cpu":{"interval":"7s"}}}"#;
    let answer = controls.message(said.as_bytes());
    let body = json!({"sensors": {"cpu": {"interval": "7s", "enabled": true}}});
    assert_eq!(answer, Answer { status: 200, body });
    let wrong = json!({"sensors": {"air": {"interval": "7s"}}});
    let answer = controls.command("set-config", &wrong);
    assert_eq!(answer.status, 400);
    assert_eq!(answer.body["error"], "sensors/air: this device has no such sensor");
    // what a document wants and cannot be is not taken back by that
    assert_eq!(controls.report()["refused"], Value::Null);
    assert_eq!(controls.command("set-config", &json!("on")).status, 400);
}

#[test]
fn a_reboot_is_asked_for_once_the_answer_has_left() {
    let (state, mut controls, _paces) = controls();
    let file = state.path().join("reboot");
    assert_eq!(controls.command("reboot", &Value::Null).status, 200);
    controls.tend();
    assert!(!file.exists());
    controls.reboot.tend(Instant::now() + reboot::DELAY);
    assert!(file.exists());
}

#[test]
fn a_whole_document_is_done_once_and_known_again_after_a_restart() {
    let (state, mut controls, _paces) = controls();
    let wants = json!({"sensors": {"cpu": {"interval": "7s"}}});
    let mark = || Some("twin 4".to_owned());
    let interval = |controls: &Controls| controls.report()["sensors"]["cpu"]["interval"].clone();
    controls.desire_whole(wants.as_object().unwrap(), mark());
    assert_eq!(interval(&controls), "7s");
    controls.command("set-config", &json!({"sensors": {"cpu": {"interval": "9s"}}}));
    controls.desire_whole(wants.as_object().unwrap(), mark());
    assert_eq!(interval(&controls), "9s");
    let (mut controls, _paces) = reopened(state.path());
    controls.desire_whole(wants.as_object().unwrap(), mark());
    assert_eq!(interval(&controls), "9s");
    controls.desire_whole(&Map::new(), Some("twin 5".to_owned()));
    assert_eq!(interval(&controls), "10s");
}
