//! What a right profile comes to.

use insta::assert_snapshot;

use crate::support::{PROFILE, resolve};

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

#[test]
fn little_need_be_said() {
    let spec = resolve(
        "version: 1\ndevice: {id: pi, model: pi-4}\nbase: debian-trixie-arm64\n\
         cloud: {mqtt: {host: 192.168.1.2, tls: false}}\nsensors: [{id: cpu, cpu-temperature: {}}]\n",
    )
    .unwrap();
    assert_eq!((spec.hostname.as_str(), spec.timezone.as_str()), ("pi", "UTC"));
    assert!(spec.wifi.is_none() && spec.access.is_none());
    let imgbuild_schema::card::Cloud::Mqtt(mqtt) = &spec.card.cloud;
    assert_eq!((mqtt.port, mqtt.client_id.as_str(), &mqtt.tls), (1883, "pi", &None));
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
