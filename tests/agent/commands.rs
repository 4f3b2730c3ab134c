//! What `check`, `read` and `--dry-run` say, and how a profile at fault is refused.

use insta::assert_snapshot;

use crate::device::{Device, Said, plain, secured};
use crate::support::authority::{Authority, Valid};
use crate::support::broker::{Broker, Door, free_port};
use crate::support::wait_for;

fn shown(said: &Said) -> String {
    let exit = said.exit.expect("an exit code");
    format!("exit: {exit}\n----- stdout -----\n{}----- stderr -----\n{}", said.stdout, said.stderr)
}

#[test]
fn check_says_what_would_be_done() {
    let (brokers, devices) = (Authority::new("brokers"), Authority::new("devices"));
    let device = Device::new("{}");
    let identity = devices.client("greenhouse-01", Valid::Now);
    let mqtt = secured(&device, 8883, brokers.pem(), Some(&identity));
    let password = device.put("credentials/password", "canary\n");
    let user = format!(", username: sensor, password: {}, tls:", password.display());
    device.edit_profile("mqtt: {}", &format!("mqtt: {}", mqtt.replace(", tls:", &user)));
    device.edit_profile(
        "sensors:\n",
        "sensors:\n  - {id: probe, topic: greenhouse-01/probe, interval: 5min, driver: {tmp102: {}}}\n",
    );
    assert_snapshot!(shown(&device.run(&["check"])), @r"
    exit: 0
    ----- stdout -----
    device       greenhouse-01
    cloud        MQTT at localhost:8883, as client `greenhouse-01`
    TLS          trusts one authority from credentials/ca.pem
    user name    sensor, with a password
    certificate  credentials/device.pem
                 valid from 2020-01-01 00:00 UTC until 2049-01-01 00:00 UTC
    private key  credentials/device.key, belongs to the certificate
    delivery     at least once (QoS 1), up to 4MiB waiting
    sensor       probe: tmp102 on i2c-1 at 0x48, every 5min, to greenhouse-01/probe
    sensor       cpu: cpu-temperature, every 100ms, to greenhouse-01/cpu
    ----- stderr -----
    ");
}

#[test]
fn check_finds_everything_that_is_wrong() {
    let devices = Authority::new("devices");
    let device = Device::new("{}");
    let (one, other) = (devices.client("one", Valid::Now), devices.client("other", Valid::Now));
    let mqtt = secured(&device, 8883, "no certificate", Some(&one));
    device.put("credentials/device.key", &other.key);
    let mqtt = mqtt.replace(", tls:", ", username: sensor, password: /none/password, tls:");
    device.edit_profile("mqtt: {}", &format!("mqtt: {mqtt}"));
    assert_snapshot!(shown(&device.run(&["check"])), @r"
    exit: 1
    ----- stdout -----
    device       greenhouse-01
    cloud        MQTT at localhost:8883, as client `greenhouse-01`
    delivery     at least once (QoS 1), up to 4MiB waiting
    sensor       cpu: cpu-temperature, every 100ms, to greenhouse-01/cpu
    ----- stderr -----
    error: credentials/ca.pem holds no certificate
    hint: a certificate begins with `-----BEGIN CERTIFICATE-----`
    error: the certificate credentials/device.pem and the private key credentials/device.key do not belong together
    hint: take both from the same download or the same `openssl req`
    error: reading /none/password: No such file or directory (os error 2)
    hint: the profile names it; build the card again
    ");
}

#[test]
fn check_says_that_the_devices_certificate_has_expired() {
    let devices = Authority::new("devices");
    let device = Device::new("{}");
    let mqtt = secured(&device, 8883, devices.pem(), Some(&devices.client("one", Valid::Expired)));
    device.edit_profile("mqtt: {}", &format!("mqtt: {mqtt}"));
    let said = device.run(&["check"]);
    assert_eq!(said.exit, Some(1));
    assert!(
        said.stderr.contains("the device's certificate expired at 2021-01-01 00:00 UTC"),
        "{said:?}"
    );
}

#[test]
fn read_prints_a_record_for_each_sensor() {
    let device = Device::new(&plain(1883));
    let said = device.run(&["read"]);
    assert_eq!((said.exit, said.stderr.as_str()), (Some(0), ""));
    let (head, rest) = said.stdout.split_once("\"utc_timestamp\":").unwrap();
    assert_eq!(head, "{\"sequence\":0,");
    let rest = rest.split_once(',').unwrap().1;
    assert_eq!(
        rest,
        "\"device\":\"greenhouse-01\",\"sensor\":\"cpu\",\"temperature\":48.312,\"status\":\"success\"}\n"
    );
}

#[test]
fn read_fails_if_a_sensor_does() {
    let device = Device::new(&plain(1883));
    let probe = "sensors:\n  - {id: probe, topic: t, interval: 1s, driver: {tmp102: {}}}\n";
    device.edit_profile("sensors:\n", probe);
    let said = device.run(&["read"]);
    assert_eq!(said.exit, Some(1));
    let lines: Vec<_> = said.stdout.lines().collect();
    assert!(lines[0].contains("\"temperature\":null,\"status\":\"error\",\"error\":\"opening root/dev/i2c-1: No such file or directory"), "{}", lines[0]);
    assert!(lines[1].contains("\"status\":\"success\""), "the others are read all the same");
}

#[test]
fn a_dry_run_connects_and_publishes_nothing() {
    let broker = Broker::start(&Door::default());
    let judge = broker.judge();
    let device = Device::new(&plain(broker.port()));
    assert_snapshot!(shown(&device.run(&["--dry-run"])), @r"
    exit: 0
    ----- stdout -----
    localhost accepts the client `greenhouse-01` in clear; nothing was published
    ----- stderr -----
    ");
    wait_for("the client to take its leave", || {
        broker.log().contains("Received DISCONNECT from greenhouse-01").then_some(())
    });
    assert_eq!(judge.messages(), []);
}

#[test]
fn a_dry_run_fails_with_the_reason_when_time_is_up() {
    let port = free_port();
    let device = Device::new(&plain(port));
    let said = device.run(&["--dry-run", "--for", "1s"]);
    assert_snapshot!(shown(&said).replace(&port.to_string(), "PORT"), @r#"
    exit: 1
    ----- stdout -----
    ----- stderr -----
    warning: cannot connect; trying again for 1s cause="connection refused by localhost:PORT"
    error: connection refused by localhost:PORT
    hint: is the broker running, and is this its port?
    "#);
}

#[test]
fn a_profile_at_fault_is_refused_in_two_lines() {
    let device = Device::new(&plain(1883));
    device.edit_profile("interval:", "intervall:");
    assert_snapshot!(shown(&device.run(&[])), @r"
    exit: 1
    ----- stdout -----
    ----- stderr -----
    error: profile.yaml:12:41: unknown key `intervall`; known here: id, topic, interval, driver
    hint: build the card again, or mend the line
    ");
    device.write_profile("version: 1\ndevice: [\n");
    assert_snapshot!(shown(&device.run(&[])), @r"
    exit: 1
    ----- stdout -----
    ----- stderr -----
    error: profile.yaml:2:9: unclosed bracket '['
    hint: build the card again, or mend the line
    ");
    std::fs::remove_file(device.path("profile.yaml")).unwrap();
    assert_snapshot!(shown(&device.run(&[])), @r"
    exit: 1
    ----- stdout -----
    ----- stderr -----
    error: reading profile.yaml: No such file or directory (os error 2)
    hint: `imgbuild build` puts the profile there; name another with --profile
    ");
}

#[test]
fn a_credential_that_is_not_there_is_refused() {
    let devices = Authority::new("devices");
    let device = Device::new("{}");
    let mqtt = secured(&device, 8883, devices.pem(), Some(&devices.client("one", Valid::Now)));
    device.edit_profile("mqtt: {}", &format!("mqtt: {mqtt}"));
    std::fs::remove_file(device.path("credentials/device.key")).unwrap();
    assert_snapshot!(shown(&device.run(&[])), @r"
    exit: 1
    ----- stdout -----
    ----- stderr -----
    error: reading credentials/device.key: No such file or directory (os error 2)
    hint: the profile names it; build the card again
    ");
}

#[test]
fn wrong_usage_has_its_own_exit_code() {
    let device = Device::new(&plain(1883));
    for arguments in
        [&["--no-such-flag"][..], &["--dry-run", "check"], &["--for", "1s"], &["paint"]]
    {
        assert_eq!(device.run(arguments).exit, Some(2), "{arguments:?}");
    }
    assert_eq!(device.run(&["--help"]).exit, Some(0));
    assert_eq!(device.run(&["--version"]).exit, Some(0));
}

#[test]
fn no_line_of_the_help_is_too_long() {
    let device = Device::new(&plain(1883));
    for arguments in [&["--help"][..], &["check", "--help"], &["read", "--help"]] {
        let said = device.run(arguments);
        let longest = said.stdout.lines().map(str::len).max().unwrap();
        assert!(longest <= 80, "{longest} in {}", said.stdout);
    }
}
