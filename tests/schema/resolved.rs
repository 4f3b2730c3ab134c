//! What a right profile comes to.

use insta::assert_snapshot;

use crate::support::{PROFILE, resolve, with_cloud};

#[test]
fn the_card_profile_has_everything_written_out_and_no_secret_in_it() {
    let spec = resolve(PROFILE).unwrap();
    assert_snapshot!(spec.card_profile());
    let debug = format!("{spec:?}");
    for secret in ["correct horse", "battery staple", "something long", "BEGIN PRIVATE"] {
        assert!(!debug.contains(secret), "{secret}");
        assert!(!spec.card_profile().contains(secret), "{secret}");
    }
    let names: Vec<_> = spec.credentials.iter().map(|credential| credential.name).collect();
    assert_eq!(names, ["ca.pem", "certificate.pem", "private-key.pem"]);
}

#[test]
fn the_card_profile_is_read_back_as_it_was_meant() {
    let spec = resolve(PROFILE).unwrap();
    let read: imgbuild_schema::CardProfile =
        imgbuild_schema::yaml::parse(&spec.card_profile()).unwrap();
    assert_eq!(read, spec.card);
}

/// The cloud on the card of a profile with this one, and the names of the files it needs there.
fn on_the_card(cloud: &str) -> (String, Vec<&'static str>) {
    let spec = resolve(&with_cloud(cloud)).unwrap();
    let card = spec.card_profile();
    assert_eq!(imgbuild_schema::yaml::parse::<imgbuild_schema::CardProfile>(&card), Ok(spec.card));
    let (_, cloud) = card.split_once("cloud:\n").unwrap();
    let cloud = cloud.split("telemetry:").next().unwrap().to_owned();
    (cloud, spec.credentials.iter().map(|credential| credential.name).collect())
}

#[test]
fn a_thing_of_aws_has_its_name_its_port_and_its_keys() {
    let (cloud, names) = on_the_card(
        "aws-iot: {endpoint: a1b2-ats.iot.eu-west-1.amazonaws.com, certificate: !file certs/device.pem, private_key: !file certs/device.key, shadow: settings}",
    );
    assert_snapshot!(cloud);
    assert_eq!(names, ["certificate.pem", "private-key.pem"]);
}

#[test]
fn a_device_of_azure_has_its_hub_and_the_file_of_its_key() {
    let (cloud, names) = on_the_card(
        "azure-iot-hub: {hub: example.azure-devices.net, auth: {sas: {key: !secret azure.key}}}",
    );
    assert_snapshot!(cloud);
    assert_eq!(names, ["sas-key"]);
}

#[test]
fn a_device_of_a_registry_has_its_path_and_the_host_of_its_region() {
    let (cloud, names) = on_the_card(
        "google-iot-core: {project: greenhouses, region: europe-west1, registry: sensors, private_key: !file certs/device.key}",
    );
    assert_snapshot!(cloud);
    assert_eq!(names, ["private-key.pem"]);
}

/// Who looks for the authority that signed the device's own certificate wants the cloud's, not the stand-in's.
#[test]
fn the_authority_of_a_stand_in_is_not_that_of_the_cloud() {
    let cloud = "mqtt: {host: broker.example, tls: {ca: !file certs/ca.pem}, connect: {address: '10.0.0.1:8443', ca: !file certs/ca.pem}}";
    let spec = resolve(&with_cloud(cloud)).unwrap();
    let access = spec.card.cloud.access();
    assert!(access.trusted().unwrap().ends_with("connect-ca.pem"));
    assert!(access.ca.unwrap().ends_with("ca.pem") && access.ca != access.trusted());
}

#[test]
fn a_stand_in_for_aws_brings_its_address_and_its_authority() {
    let aws = "aws-iot: {endpoint: gateway.example, port: 443, certificate: !file certs/device.pem, private_key: !file certs/device.key, \
               connect: {address: '10.0.0.1:8443', ca: !file certs/ca.pem}}";
    let spec = resolve(&with_cloud(aws)).unwrap();
    let access = spec.card.cloud.access();
    assert_eq!(
        (access.host, access.port, access.client_id),
        ("gateway.example", 443, "greenhouse-01")
    );
    assert_eq!(access.address().unwrap().to_string(), "10.0.0.1:8443");
    assert!(access.trusted().unwrap().ends_with("connect-ca.pem"));
    assert_eq!(access.ca, None, "Amazon's own stay what they are");
}

#[test]
fn little_need_be_said() {
    let spec = resolve(
        "version: 1\ndevice: {id: pi, model: pi-4}\nbase: debian-trixie-arm64\n\
         cloud: {mqtt: {host: 192.168.1.2, tls: false}}\nsensors: [{id: cpu, cpu-temperature: {}}]\n",
    )
    .unwrap();
    assert_eq!((spec.hostname.as_str(), spec.timezone.as_str()), ("pi", "UTC"));
    assert!(spec.wifi.is_none() && spec.access.is_none());
    let access = spec.card.cloud.access();
    assert_eq!((access.port, access.client_id, access.secured), (1883, "pi", false));
}

#[test]
fn words_that_yaml_takes_for_something_else_stay_what_was_written() {
    let text = PROFILE
        .replacen("country: NL", "country: NO", 1)
        .replacen("ssid: Greenhouse", "ssid: 0123", 1)
        .replacen("!secret wifi.greenhouse", "0123456789", 1);
    let wifi = resolve(&text).unwrap().wifi.unwrap();
    assert_eq!((wifi.country.as_str(), wifi.networks[0].ssid.as_str()), ("NO", "0123"));
    assert_eq!(wifi.networks[0].passphrase.as_ref().unwrap().expose(), "0123456789");
}
