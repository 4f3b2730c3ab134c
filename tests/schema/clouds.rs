//! Each cloud said right, and each way of saying it wrong.

use insta::assert_snapshot;

use crate::support::{outcome, told, with_cloud};

const AWS: &str = "aws-iot: {endpoint: a1b2-ats.iot.eu-west-1.amazonaws.com, certificate: !file certs/device.pem, private_key: !file certs/device.key, shadow: true}";
const HUB: &str =
    "azure-iot-hub: {hub: example.azure-devices.net, auth: {sas: {key: !secret azure.key}}}";
const HUB_X509: &str = "azure-iot-hub: {hub: example.azure-devices.net, auth: {x509: {certificate: !file certs/device.pem, private_key: !file certs/device.key}}}";
const DPS: &str =
    "azure-iot-hub: {dps: {id_scope: 0ne00112233}, auth: {sas: {group_key: !secret azure.key}}}";
const EVENT_HUBS: &str = "azure-event-hubs: {namespace: example.servicebus.windows.net, hub: readings, policy: send, key: !secret azure.key}";
const GOOGLE: &str = "google-iot-core: {project: greenhouses, region: europe-west1, registry: sensors, private_key: !file certs/device.key}";
const PUBSUB: &str =
    "google-pubsub: {project: greenhouses, topic: readings, service_account: !file account.json}";
const MQTT: &str = "mqtt: {host: broker.example.org, username: pi, password: !secret pi.password}";

#[test]
fn each_cloud_can_be_said_right() {
    for cloud in [AWS, HUB, HUB_X509, DPS, EVENT_HUBS, GOOGLE, PUBSUB, MQTT] {
        assert_eq!(told(&with_cloud(cloud)), "", "{cloud}");
    }
}

#[test]
fn what_cannot_be_built_yet_is_said_when_it_is_built_and_not_before() {
    let jobs = AWS.replace("shadow: true", "jobs: true");
    for cloud in [&*jobs, DPS, EVENT_HUBS, PUBSUB] {
        let outcome = outcome(&with_cloud(cloud));
        assert!(outcome.problems.is_empty() && outcome.spec.is_none(), "{cloud}");
        assert_eq!(outcome.not_yet.len(), 1, "{cloud}");
    }
    for cloud in [AWS, HUB, HUB_X509, GOOGLE, MQTT] {
        assert!(outcome(&with_cloud(cloud)).spec.is_some(), "{cloud}");
    }
}

#[test]
fn only_a_broker_of_ones_own_takes_qos_2() {
    let twice = |cloud| told(&with_cloud(cloud).replace("interval: 5s", "qos: 2"));
    for cloud in [AWS, HUB, GOOGLE] {
        assert!(twice(cloud).contains("takes no QoS 2"), "{cloud}");
    }
    assert_eq!(twice(MQTT), "");
}

#[test]
fn a_topic_of_a_rule_is_for_aws_and_counts_without_it() {
    let with = |cloud, topic: &str| {
        let given = "topic: \"{{ device.id }}/{{ sensor.id }}\"";
        let profile = with_cloud(cloud);
        assert!(profile.contains(given));
        told(&profile.replace(given, &format!("topic: \"{topic}\"")))
    };
    assert_eq!(with(AWS, "$aws/rules/store/a/b/c/d/e/f/g/{{ sensor.id }}"), "");
    assert!(with(AWS, "$aws/rules/store/a/b/c/d/e/f/g/h/{{ sensor.id }}").contains("8 slashes"));
    assert!(with(AWS, "$aws/things/{{ sensor.id }}").contains("belong to the broker"));
    assert!(with(MQTT, "$aws/rules/store/{{ sensor.id }}").contains("is one of AWS IoT's"));
}

/// What is printed about a cloud with `right` replaced by `wrong`.
fn mistake(cloud: &str, right: &str, wrong: &str) -> String {
    assert!(cloud.contains(right), "the cloud has no {right:?}");
    let report = told(&with_cloud(&cloud.replacen(right, wrong, 1)));
    assert!(!report.is_empty(), "nothing was found wrong with {wrong:?}");
    report
}

macro_rules! mistakes {
    ($($name:ident: $cloud:ident, $right:literal => $wrong:literal;)+) => { $(
        #[test]
        fn $name() {
            assert_snapshot!(mistake($cloud, $right, $wrong));
        }
    )+ };
}

mistakes! {
    a_key_of_another_certificate: AWS, "certs/device.key" => "certs/other.key";
    a_certificate_that_has_expired: AWS, "certs/device.pem" => "certs/expired.pem";
    a_certificate_that_does_not_hold_yet: AWS, "certs/device.pem" => "certs/early.pem";
    a_certificate_that_is_damaged: AWS, "certs/device.pem" => "certs/damaged.pem";
    a_certificate_of_another_thing: AWS, "certs/device.pem" => "certs/cellar.pem";
    a_private_key_with_a_passphrase: AWS, "certs/device.key" => "certs/locked.key";
    an_endpoint_of_old: AWS, "a1b2-ats" => "a1b2";
    an_endpoint_of_another_cloud: AWS, "a1b2-ats.iot.eu-west-1.amazonaws.com" => "broker.example.org";
    a_port_that_aws_does_not_have: AWS, "shadow: true" => "port: 1883";
    a_shadow_with_an_odd_name: AWS, "shadow: true" => "shadow: my shadow";
    a_shadow_that_is_a_list: AWS, "shadow: true" => "shadow: [a]";
    a_thing_with_a_dot: AWS, "shadow: true" => "thing: green.house";
    no_private_key: AWS, ", private_key: !file certs/device.key" => "";
    two_clouds: AWS, "shadow: true}" => "shadow: true}\n  mqtt: {host: a.example.org}";
    neither_hub_nor_dps: HUB, "hub: example.azure-devices.net, " => "";
    both_hub_and_dps: DPS, "dps:" => "hub: example.azure-devices.net, dps:";
    a_hub_of_another_name: HUB, "example.azure-devices.net" => "example.com";
    an_id_scope_that_is_none: DPS, "0ne00112233" => "0ne";
    a_connection_string_for_a_key: HUB, "azure.key" => "azure.connection";
    a_token_for_a_key: HUB, "azure.key" => "azure.token";
    a_key_that_is_not_base64: HUB, "azure.key" => "pi.password";
    no_key_at_all: HUB, "key: !secret azure.key" => "";
    two_keys: DPS, "group_key" => "key: !secret azure.key, group_key";
    a_group_key_without_dps: HUB, "key:" => "group_key:";
    two_ways_to_prove_it: HUB, "sas: {key: !secret azure.key}" => "sas: {key: !secret azure.key}, x509: {}";
    no_way_to_prove_it: HUB, "sas: {key: !secret azure.key}" => "";
    an_unknown_way_to_prove_it: HUB, "sas" => "sass";
    a_certificate_of_another_device: HUB_X509, "certs/device.pem" => "certs/cellar.pem";
    a_namespace_without_its_ending: EVENT_HUBS, "example.servicebus.windows.net" => "example";
    an_event_hub_with_a_slash: EVENT_HUBS, "hub: readings" => "hub: a/b";
    a_policy_that_can_do_everything: EVENT_HUBS, "policy: send" => "policy: RootManageSharedAccessKey";
    a_publisher_with_a_space: EVENT_HUBS, "policy: send" => "policy: send, publisher: my pi";
    the_service_that_google_closed: GOOGLE, "registry:" => "host: mqtt.googleapis.com, registry:";
    an_algorithm_that_the_key_does_not_suit: GOOGLE, "private_key" => "algorithm: rs256, private_key";
    a_curve_that_tokens_do_not_take: GOOGLE, "certs/device.key" => "certs/p384.key";
    an_unknown_algorithm: GOOGLE, "private_key" => "algorithm: hs256, private_key";
    a_project_with_a_space: GOOGLE, "project: greenhouses" => "project: my greenhouses";
    a_service_account_that_is_no_json: PUBSUB, "account.json" => "certs/device.pem";
    a_service_account_of_another_project: PUBSUB, "project: greenhouses" => "project: cellars";
    a_password_without_a_user: MQTT, "username: pi, " => "";
    a_connection_in_clear: MQTT, "username: pi" => "tls: false, username: pi";
    a_port_that_is_none: MQTT, "username: pi" => "port: 0, username: pi";
    a_port_beyond_all_ports: MQTT, "username: pi" => "port: 70000, username: pi";
    a_port_in_quotes: MQTT, "username: pi" => "port: \"8883\", username: pi";
    a_port_in_the_host: MQTT, "broker.example.org" => "broker.example.org:8883";
    a_host_of_ones_own_network: MQTT, "broker.example.org" => "broker.local";
    an_authority_without_tls: MQTT, "username: pi" => "tls: false, connect: {address: 127.0.0.1:1, ca: !file certs/ca.pem}, username: pi";
    a_client_id_with_a_space: MQTT, "username: pi" => "client_id: my pi, username: pi";
    a_gateway_without_a_port: MQTT, "username: pi" => "connect: {address: gateway.lan}, username: pi";
    a_status_topic_with_a_wildcard: MQTT, "username: pi" => "status: pi/#, username: pi";
    a_command_topic_of_a_sensor: MQTT, "username: pi" => "commands: '{{ sensor.id }}/commands', username: pi";
    a_command_topic_that_is_the_status_topic: MQTT, "username: pi" => "commands: pi/status, status: pi/status, username: pi";
    a_command_topic_on_which_readings_are_published: MQTT, "username: pi" => "commands: '{{ device.id }}/cpu', username: pi";
    a_protocol_without_a_name: MQTT, "username: pi" => "tls: {alpn: ['']}, username: pi";
    a_username_that_is_nothing: MQTT, "username: pi" => "username: ";
}

/// What is printed about [`AWS`] with other telemetry.
fn telemetry(wrong: &str) -> String {
    let text = with_cloud(AWS).replace("  interval: 5s\n", &format!("  {wrong}\n"));
    told(&text)
}

#[test]
fn a_keepalive_that_the_cloud_does_not_take() {
    assert_snapshot!(telemetry("keepalive: 10s"));
}

#[test]
fn a_topic_with_more_levels_than_the_cloud_takes() {
    let text = with_cloud(AWS).replace("{{ device.id }}/", "a/b/c/d/e/f/g/h/");
    assert_snapshot!(told(&text));
}

#[test]
fn a_topic_longer_than_the_cloud_takes() {
    let text = with_cloud(AWS).replace("{{ device.id }}/", &format!("{}/", "a".repeat(252)));
    assert_snapshot!(told(&text));
}

#[test]
fn more_messages_than_the_cloud_takes() {
    let sensors: String = (0..12)
        .map(|n| format!("  - {{id: s{n}, cpu-temperature: {{}}, interval: 100ms}}\n"))
        .collect();
    let text = with_cloud(AWS).replace("  interval: 5s\n", "  drain_rate: unlimited\n") + &sensors;
    assert_snapshot!(told(&text));
}

#[test]
fn azure_closes_what_is_silent_for_too_long() {
    let text = with_cloud(HUB).replace("  interval: 5s\n", "  keepalive: 30min\n");
    assert_snapshot!(told(&text));
}
