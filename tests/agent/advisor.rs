//! The cases of AWS IoT Device Advisor, by which AWS qualifies devices (developer guide, "Device Advisor test cases"), against
//! the double. Times are compressed. Each test names the cases that it shows; the README lists them all.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::aws::{ENDPOINT, THING, World};
use crate::device::{Device, sequences};
use crate::doubles::server::{Double, Fault};
use crate::doubles::sessions::Delivery;
use crate::doubles::shadow::Shadows;
use crate::support::wait_for;

const DELTA: &str = "$aws/things/greenhouse-01/shadow/update/delta";

/// A thing with a shadow that waits tenths of seconds where others wait seconds.
fn hasty(world: &World) -> (Double, Device) {
    let double = world.account(ENDPOINT, false, (THING, "greenhouse-01/"));
    let device = world.thing(&double, 8883);
    device.edit_profile("port: 8883", "shadow: classic, port: 8883");
    device
        .edit_profile("max: 200ms, stable: 5s, jitter: 0%", "max: 3200ms, stable: 2s, jitter: 50%");
    device.edit_profile("connect_timeout: 2s", "connect_timeout: 1s");
    (double, device)
}

/// Waits for so many CONNECTs, and returns the pauses between them in milliseconds.
fn pauses(double: &Double, count: usize) -> Vec<u128> {
    let attempts = wait_for("attempts to connect", || {
        Some(double.ledger().attempts).filter(|attempts| attempts.len() >= count)
    });
    attempts.windows(2).map(|two| (two[1] - two[0]).as_millis()).collect()
}

/// Pauses of 100 ms that double each time, each shortened by up to a half.
fn grow(pauses: &[u128], beside: u128) {
    for (exponent, pause) in pauses.iter().enumerate() {
        let longest = 100 << exponent;
        let range = longest / 2..longest + beside;
        assert!(range.contains(pause), "{pause} is not in {range:?}: {pauses:?}");
    }
}

/// `MQTT_Connect_Jitter_Backoff_Retries`, `MQTT_Connect_Exponential_Backoff_Retries`
#[test]
fn a_connect_that_is_not_answered_is_tried_again_later_and_later() {
    let world = World::new();
    let (double, device) = hasty(&world);
    double.misbehave(Fault::NoConnAck, 5);
    let _agent = device.start(&[]);
    // beside each pause there is the second for which an answer was waited for
    let waited =
        pauses(&double, 6).iter().map(|pause| pause.saturating_sub(1000)).collect::<Vec<_>>();
    grow(&waited[..5], 500);
    wait_for("messages", || (double.ledger().messages.len() >= 5).then_some(()));
}

/// `MQTT_Reconnect_Backoff_Retries_On_Server_Disconnect`, `MQTT_Reconnect_Backoff_Retries_On_Unstable_Connection`
#[test]
fn a_connection_that_breaks_as_soon_as_it_is_there_does_not_begin_the_pauses_anew() {
    let world = World::new();
    let (double, device) = hasty(&world);
    double.misbehave(Fault::Unstable, 5);
    let _agent = device.start(&[]);
    grow(&pauses(&double, 6)[..5], 500);
    wait_for("messages", || (double.ledger().messages.len() >= 5).then_some(()));
}

/// `MQTT_Publish_Retry_No_Puback`: by a new connection, as MQTT 3.1.1 has it, section 4.4.
#[test]
fn a_message_that_is_not_acknowledged_is_sent_again() {
    let world = World::new();
    let (double, device) = hasty(&world);
    device.edit_profile("interval: 100ms", "interval: 1h");
    double.misbehave(Fault::NoPubAck, 1);
    let _agent = device.start(&[]);
    let ledger = wait_for("the message again", || {
        Some(double.ledger()).filter(|ledger| ledger.messages.len() >= 2)
    });
    assert_eq!(sequences(&ledger.messages), [1, 1]);
    assert!(ledger.connects.len() == 2, "{ledger:?}");
}

/// `MQTT_Subscribe_Retry_No_Suback`: in the same way.
#[test]
fn a_subscription_that_is_not_answered_is_asked_for_again() {
    let world = World::new();
    let (double, device) = hasty(&world);
    double.misbehave(Fault::NoSubAck, 1);
    let agent = device.start(&[]);
    wait_for("the second subscription", || (double.ledger().subscriptions == 2).then_some(()));
    wait_for("the shadow", || {
        (world.shadows.shadow("$aws/things/greenhouse-01/shadow").state() != json!({}))
            .then_some(())
    });
    assert_eq!(agent.count("connection lost"), 1, "{}", agent.log());
}

/// `MQTT_No_Ack_PingResp`
#[test]
fn a_broker_that_says_nothing_any_more_is_left() {
    let world = World::new();
    let (double, device) = hasty(&world);
    device.edit_profile("interval: 100ms", "interval: 1h");
    device.edit_profile("ack_timeout: 1s", "ack_timeout: 1min\n  keepalive: 2s");
    let _agent = device.start(&[]);
    wait_for("the device to be settled", || {
        (double.ledger().asides.len() >= 2 && !double.ledger().messages.is_empty()).then_some(())
    });
    double.misbehave(Fault::Silent, 1);
    let begin = std::time::Instant::now();
    wait_for("another connection", || (double.ledger().connects.len() == 2).then_some(()));
    // a PINGREQ within the keepalive, and its answer not within another one
    assert!(begin.elapsed() < Duration::from_secs(8), "{:?}", begin.elapsed());
}

/// `MQTT_Client_Puback_Qos1`: what may come is as large as AWS sends it.
#[test]
fn a_message_of_128_kib_is_acknowledged() {
    let world = World::new();
    let (double, device) = hasty(&world);
    let _agent = device.start(&[]);
    wait_for("the subscription", || (double.ledger().subscriptions == 1).then_some(()));
    for size in [0, 1, 128 * 1024] {
        double.deliver(&[Delivery::new(DELTA, vec![b'x'; size])]);
    }
    wait_for("three acknowledgements", || {
        let acknowledged = double.ledger().acknowledged;
        (acknowledged.iter().filter(|topic| *topic == DELTA).count() == 3).then_some(())
    });
}

/// `MQTT_Persistent_Session_Happy_Case`, `MQTT_Expired_Persistent_Session`
#[test]
fn a_kept_session_is_gone_on_with_and_a_lost_one_begun_anew() {
    let world = World::new();
    let (double, device) = hasty(&world);
    device.edit_profile("interval: 100ms", "interval: 1h");
    let _agent = device.start(&[]);
    let settled = |connects: usize| {
        wait_for("the device to be settled", || {
            let ledger = double.ledger();
            (ledger.connects.len() == connects && ledger.asides.len() >= 2 * connects).then_some(())
        });
    };
    settled(1);
    double.put_out();
    double.deliver(&[Delivery::new(DELTA, "{}")]);
    settled(2);
    assert_eq!(double.ledger().subscriptions, 1, "who is remembered need not ask");
    wait_for("the stored message to be acknowledged", || {
        double.ledger().acknowledged.contains(&DELTA.to_owned()).then_some(())
    });
    double.forget();
    settled(3);
    assert_eq!(double.ledger().subscriptions, 2, "who is forgotten asks again");
}

/// `Shadow_Update_Reported_State`: what its set-up desires, told by its client token, is applied and reported as equal.
#[test]
fn what_a_shadow_desires_is_reported_as_equal() {
    let world = World::new();
    let (double, device) = hasty(&world);
    let _agent = device.start(&[]);
    let prefix = "$aws/things/greenhouse-01/shadow";
    let shadows: &Arc<Shadows> = &world.shadows;
    let state = || shadows.shadow(prefix).state();
    wait_for("the reported state", || (state() != json!({})).then_some(()));
    for interval in [json!("2s"), json!(3), json!(0.5)] {
        let update = json!({
            "state": {"desired": {"sensors": {"cpu": {"interval": interval}}}},
            "clientToken": "DeviceAdvisorShadowTestCaseSetup",
        });
        double.deliver(&shadows.ask(prefix, "update", update.to_string().as_bytes()));
        wait_for("the state to be equal", || {
            let state = state();
            let [desired, reported] =
                ["desired", "reported"].map(|it| state[it]["sensors"]["cpu"]["interval"].clone());
            (desired == interval && reported == interval && state.get("delta").is_none())
                .then_some(())
        });
    }
}

/// `TLS_Large_Size_Server_Cert`
#[test]
fn a_certificate_of_many_names_is_taken() {
    let world = World::new();
    let others: Vec<String> = (0..200).map(|number| format!("endpoint-{number}.example")).collect();
    let names: Vec<&str> =
        [ENDPOINT].into_iter().chain(others.iter().map(String::as_str)).collect();
    let double = world.account_with(&names, false, (THING, "greenhouse-01/"));
    let device = world.thing(&double, 8883);
    let _agent = device.start(&[]);
    wait_for("messages", || (double.ledger().messages.len() >= 5).then_some(()));
}
