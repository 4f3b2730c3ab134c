use super::*;

pub(crate) const PROFILE: &str = "\
version: 1
device: {id: greenhouse-01}
cloud:
  mqtt: {host: broker.example, port: 8883, client_id: greenhouse-01}
telemetry:
  qos: 1
  queue: {max_bytes: 4MiB}
  reconnect: {first: 1s, max: 32s, stable: 20s, jitter: 50%}
  connect_timeout: 10s
  ack_timeout: 5s
sensors:
  - {id: cpu, topic: greenhouse-01/cpu, interval: 10s, driver: {cpu-temperature: {}}}
";

fn read(source: &str) -> Result<CardProfile, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("profile.yaml");
    std::fs::write(&path, source).unwrap();
    let shown = format!("{}/", folder.path().display());
    profile(&path).map_err(|fault| fault.to_string().replace(&shown, ""))
}

#[test]
fn the_profile_of_the_card_is_read() {
    assert_eq!(read(PROFILE).unwrap().device.id.as_str(), "greenhouse-01");
}

#[test]
fn a_mistake_is_shown_with_its_place_and_the_way_out() {
    for (source, complaint) in [
        (
            PROFILE.replace("topic:", "topc:"),
            "profile.yaml:12:15: unknown key `topc`; known here: id, topic",
        ),
        (PROFILE.replace("qos: 1", "qos: 3"), "profile.yaml:6:8: there is no QoS 3"),
        (
            PROFILE.replace("version: 1", "version: 2"),
            "is of version 2, and this agent reads version 1\nhint: build the card again",
        ),
        (PROFILE.replace("interval: 10s", "interval: 0s"), "sensor `cpu` has an interval of zero"),
        (PROFILE.replace("device: {", "device: ["), "profile.yaml:2:"),
    ] {
        let error = read(&source).unwrap_err();
        assert!(error.contains(complaint), "{error}");
    }
}

#[test]
fn a_password_is_somebodys() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    std::fs::write(&path, "word\n").unwrap();
    let password = format!("client_id: g, password: {}}}", path.display());
    let source = PROFILE.replace("client_id: greenhouse-01}", &password);
    let faults = resolve(read(&source).unwrap(), Path::new("/none")).unwrap_err();
    assert_eq!(faults[0].message, "the profile has a password and no user name");
}

#[test]
fn a_token_has_a_life() {
    let cloud = "azure-iot-hub: {hub: h, device: d, auth: {sas: {key: /none/key, life: 0s}}}";
    let mqtt = "mqtt: {host: broker.example, port: 8883, client_id: greenhouse-01}";
    let faults =
        resolve(read(&PROFILE.replace(mqtt, cloud)).unwrap(), Path::new("/none")).unwrap_err();
    assert_eq!(faults[0].message, "a token cannot end after 0ns");
}

#[test]
fn all_that_is_wrong_with_the_files_is_said_at_once() {
    let source = PROFILE.replace(
            "client_id: greenhouse-01}",
            "client_id: g, password: /none/password, tls: {ca: /none/ca, identity: {certificate: /none/pem, private_key: /none/key}}}",
        );
    let faults = resolve(read(&source).unwrap(), Path::new("/none")).unwrap_err();
    let messages: Vec<_> = faults.iter().map(|fault| fault.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "reading /none/ca: No such file or directory (os error 2)",
            "reading /none/pem: No such file or directory (os error 2)",
            "reading /none/password: No such file or directory (os error 2)",
            "the profile has a password and no user name",
        ]
    );
}
