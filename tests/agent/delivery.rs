//! Readings arrive, each of them, whatever happens on the way.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::device::{Device, plain, secured, sequences, wait_for_status};
use crate::support::authority::{Authority, Valid};
use crate::support::broker::{Broker, Door};
use crate::support::wait_for;

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

#[test]
fn readings_arrive_over_mutual_tls() {
    let (authority, clients) = (Authority::new("brokers"), Authority::new("devices"));
    let broker = Broker::start(&Door {
        certificate: Some(authority.server(&["localhost"], Valid::Now)),
        clients: Some(clients.pem().to_owned()),
        password: None,
    });
    let judge = broker.judge();
    let device = Device::new("{}");
    let identity = clients.client("greenhouse-01", Valid::Now);
    let mqtt = secured(&device, broker.port(), authority.pem(), Some(&identity));
    device.edit_profile("mqtt: {}", &format!("mqtt: {mqtt}"));
    let before = now();
    let agent = device.start(&[]);

    let messages = judge.wait_for(5);
    for (index, (topic, payload)) in messages.iter().enumerate() {
        assert_eq!(topic, "greenhouse-01/cpu");
        let head = format!("{{\"sequence\":{},\"utc_timestamp\":", index + 1);
        let (time, rest) = payload.strip_prefix(&head).unwrap().split_once(',').unwrap();
        assert_eq!(
            rest,
            r#""device":"greenhouse-01","sensor":"cpu","temperature":48.312,"status":"success"}"#
        );
        assert_eq!(time.split('.').nth(1).unwrap().len(), 3, "{time}");
        let time: f64 = time.parse().unwrap();
        assert!(time >= before - 0.001 && time <= now() + 0.001, "{time}");
    }
    wait_for_status(&device, "state", "connected");
    assert!(device.status().unwrap()["resident_kb"].as_u64().unwrap() > 0);
    assert_eq!(agent.terminate(), Some(0));
}

#[test]
fn numbers_grow_through_kill_and_restart() {
    let broker = Broker::start(&Door::default());
    let judge = broker.judge();
    let device = Device::new(&plain(broker.port()));
    for round in 1..=3 {
        let agent = device.start(&[]);
        judge.wait_for(4 * round);
        if round == 2 { assert_eq!(agent.terminate(), Some(0)) } else { agent.kill() }
    }
    let numbers = sequences(&judge.messages());
    let mut growing: Vec<_> = numbers.clone();
    growing.dedup(); // a broker may be told twice, one after the other
    assert!(growing.is_sorted_by(|a, b| a < b), "{numbers:?}");
    assert!(numbers.contains(&1001), "what a kill left over is skipped: {numbers:?}");
    assert!(
        numbers.iter().all(|number| *number < 1100),
        "a clean end leaves nothing over: {numbers:?}"
    );
}

#[test]
fn nothing_is_lost_while_the_broker_is_away() {
    let mut broker = Broker::start(&Door::default());
    let judge = broker.judge();
    let device = Device::new(&plain(broker.port()));
    device.edit_profile("interval: 100ms", "interval: 20ms");
    let agent = device.start(&[]);
    for round in 1..=3 {
        judge.wait_for(30 * round);
        broker.stop();
        wait_for("the agent to notice", || {
            (agent.count("connection refused") == round).then_some(())
        });
        std::thread::sleep(Duration::from_millis(500));
        broker.resume();
    }
    wait_for("the last connection", || (agent.count("connected host=") == 4).then_some(()));
    assert_eq!(agent.terminate(), Some(0));
    let log = fs::read_to_string(device.path("log")).unwrap();
    assert!(log.ends_with("stopped\n"), "everything was sent: {log}");
    let last = device.status().unwrap()["sequence"].as_u64().unwrap();
    wait_for("every reading", || {
        let arrived: BTreeSet<_> = sequences(&judge.messages()).into_iter().collect();
        (arrived.len() as u64 == last && arrived.last() == Some(&last)).then_some(())
    });
}

#[test]
fn nothing_is_lost_while_the_broker_hangs() {
    let broker = Broker::start(&Door::default());
    let judge = broker.judge();
    let device = Device::new(&plain(broker.port()));
    let agent = device.start(&[]);
    judge.wait_for(3);
    broker.freeze();
    agent.wait_for_log("has not acknowledged a message within 1s");
    broker.thaw();
    let seen = judge.messages().len();
    judge.wait_for(seen + 30);
    let arrived: BTreeSet<_> = sequences(&judge.messages()).into_iter().collect();
    let last = *arrived.last().unwrap();
    assert_eq!(arrived.len() as u64, last, "{arrived:?}");
}

#[test]
fn readings_from_before_the_time_was_known_get_the_time_they_were_taken_at() {
    let broker = Broker::start(&Door::default());
    let judge = broker.judge();
    let device = Device::new(&plain(broker.port()));
    let marker = device.path("root/run/systemd/timesync/synchronized");
    fs::remove_file(&marker).unwrap();
    let started = now();
    let agent = device.start(&[]);
    agent.wait_for_log("waiting for the right time");
    wait_for_status(&device, "state", "waiting-for-clock");
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(judge.messages(), []);
    let synchronised = now();
    fs::write(&marker, "").unwrap();
    let (_, first) = &judge.wait_for(5)[0];
    let first: serde_json::Value = serde_json::from_str(first).unwrap();
    assert_eq!(first["sequence"], 1);
    let taken = first["utc_timestamp"].as_f64().unwrap();
    assert!(
        taken >= started - 0.001 && taken < synchronised - 0.9,
        "{taken} in {started}..{synchronised}"
    );
}

#[test]
fn the_kernels_command_line_points_the_same_card_elsewhere() {
    let authority = Authority::new("laptop");
    let certificate = Some(authority.server(&["broker.example"], Valid::Now));
    let broker = Broker::start(&Door { certificate, ..Door::default() });
    let judge = broker.judge();
    let device =
        Device::new("{host: broker.example, port: 8883, client_id: greenhouse-01, tls: {}}");
    let word = format!(
        r#"{{"address":"127.0.0.1:{}","ca":"{}"}}"#,
        broker.port(),
        STANDARD.encode(authority.der())
    );
    let word = URL_SAFE_NO_PAD.encode(word);
    device.put("root/proc/cmdline", &format!("console=tty1 imgbuild.connect={word} rootwait\n"));
    let _agent = device.start(&[]);
    judge.wait_for(1);
}

#[test]
fn at_most_once_is_delivered_too() {
    let broker = Broker::start(&Door::default());
    let judge = broker.judge();
    let device = Device::new(&plain(broker.port()));
    device.edit_profile("qos: 1", "qos: 0");
    let _agent = device.start(&[]);
    assert_eq!(sequences(&judge.wait_for(3))[..3], [1, 2, 3]);
}

#[test]
fn of_too_many_the_newest_stay() {
    let mut broker = Broker::start(&Door::default());
    let judge = broker.judge();
    broker.stop();
    let device = Device::new(&plain(broker.port()));
    device.edit_profile("max_bytes: 4MiB", "max_bytes: 1KiB");
    let agent = device.start(&[]);
    agent.wait_for_log("the outbox is full");
    std::thread::sleep(Duration::from_millis(500));
    broker.resume();
    let numbers = sequences(&judge.wait_for(3));
    assert!(numbers[0] > 1, "{numbers:?}");
    agent.wait_for_log("the outbox has room again");
    assert_eq!(agent.count("the outbox is full"), 1);
    wait_for("the health file to count", || {
        (device.status()?["dropped"].as_u64()? > 0).then_some(())
    });
}

#[test]
fn a_failed_reading_is_sent_and_said_once() {
    let broker = Broker::start(&Door::default());
    let judge = broker.judge();
    let device = Device::new(&plain(broker.port()));
    let temperature = device.path("root/sys/class/thermal/thermal_zone0/temp");
    fs::write(&temperature, "hot\n").unwrap();
    let agent = device.start(&[]);
    let (_, payload) = &judge.wait_for(3)[2];
    assert!(payload.contains(r#""temperature":null,"status":"error","error":""#), "{payload}");
    assert_eq!(agent.count("sensor fails"), 1);
    fs::write(&temperature, "50000\n").unwrap();
    agent.wait_for_log("sensor answers again");
}

#[test]
fn without_a_disk_readings_still_arrive() {
    let broker = Broker::start(&Door::default());
    let judge = broker.judge();
    let device = Device::new(&plain(broker.port()));
    device.put("state", "a file where a folder should be");
    device.put("run", "and another");
    let agent = device.start(&[]);
    judge.wait_for(3);
    assert_eq!(agent.count("cannot keep sequence numbers"), 1);
    assert_eq!(agent.count("cannot write the health file"), 1);
}
