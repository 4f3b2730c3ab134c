//! The policy for a thing of AWS IoT. That it suffices, and how little it is, is shown where a card boots under it.

use insta::assert_snapshot;

use crate::support::{PROFILE, Project};

/// What is printed for this profile and account.
fn policy(profile: &str, account: &str) -> String {
    Project::with(profile).imgbuild(&["policy", "kitchen.yaml", "--account", account])
}

fn thing(endpoint: &str, more: &str) -> String {
    let (before, rest) = PROFILE.split_once("cloud:\n").unwrap();
    let (_, after) = rest.split_once("sensors:").unwrap();
    format!(
        "{before}cloud:\n  aws-iot: {{endpoint: {endpoint}, certificate: !file device.pem, \
         private_key: !file device.key{more}}}\nsensors:{after}"
    )
}

const ENDPOINT: &str = "a1b2c3-ats.iot.eu-west-1.amazonaws.com";

#[test]
fn a_thing_may_publish_its_sensors_topics_and_no_more() {
    assert_snapshot!(policy(&thing(ENDPOINT, ""), "123456789012"));
}

#[test]
fn a_thing_with_a_shadow_may_use_its_own() {
    assert_snapshot!(policy(&thing(ENDPOINT, ", shadow: settings"), "123456789012"));
}

/// A thing with so many sensors more.
fn with_sensors(more: &str, count: usize) -> String {
    let sensors = (0..count).map(|n| format!("  - {{id: processor-{n}, cpu-temperature: {{}}}}\n"));
    thing(ENDPOINT, more) + &sensors.collect::<String>() + "telemetry: {interval: 1h}\n"
}

#[test]
fn a_shadow_is_allowed_as_a_whole_where_its_topics_do_not_fit() {
    let said = policy(&with_sensors(", shadow: true", 10), "123456789012");
    let own = "topic/$aws/things/greenhouse-01/shadow/*";
    // iot:Publish and iot:Receive; the third is that of iot:Subscribe
    assert_eq!((said.matches(own).count(), said.matches('*').count()), (2, 3), "{said}");
}

#[test]
fn no_policy_allows_anything_by_a_wildcard() {
    for more in ["", ", shadow: true"] {
        assert!(!policy(&thing(ENDPOINT, more), "123456789012").contains('*'));
    }
}

#[test]
fn other_partitions_have_their_own_names() {
    let china = "a1b2c3.ats.iot.cn-north-1.amazonaws.com.cn";
    assert!(policy(&thing(china, ""), "123456789012").contains("arn:aws-cn:iot:cn-north-1:"));
    let government = "a1b2c3-ats.iot.us-gov-west-1.amazonaws.com";
    let said = policy(&thing(government, ""), "123456789012");
    assert!(said.contains("arn:aws-us-gov:iot:us-gov-west-1:"), "{said}");
}

#[test]
fn what_has_no_policy_says_why() {
    assert_snapshot!(policy(PROFILE, "123456789012"));
    assert_snapshot!(policy(&thing(ENDPOINT, ""), "12345678901"));
    assert_snapshot!(policy(&thing("gateway.lan", ""), "123456789012"));
    assert_snapshot!(policy(&with_sensors("", 40), "123456789012"));
    let pattern = thing(ENDPOINT, "") + "telemetry: {topic: '*/{{ sensor.id }}'}\n";
    assert_snapshot!(policy(&pattern, "123456789012"));
}
