//! What is printed about a profile with a mistake in it: what, where, why, what to do.

use insta::assert_snapshot;

use crate::support::{PROFILE, mistake, resolve};

/// A test a mistake: what is right, what was written, and what is printed, kept under `snapshots/`.
macro_rules! mistakes {
    ($($name:ident: $right:literal => $wrong:literal;)+) => { $(
        #[test]
        fn $name() {
            assert_snapshot!(mistake($right, $wrong));
        }
    )+ };
}

mistakes! {
    an_unknown_key: "timezone:" => "timezon:";
    an_unknown_key_far_from_any: "timezone:" => "colour:";
    a_missing_key: "  model: pi-3\n" => "";
    a_list_where_a_text_belongs: "id: greenhouse-01" => "id: [greenhouse]";
    a_word_where_a_number_belongs: "version: 1" => "version: one";
    a_text_where_a_map_belongs: "tls:\n      ca: !file certs/ca.pem\n      certificate: !file certs/device.pem\n      private_key: !file certs/device.key" => "tls: sure";
    an_unknown_model: "pi-3" => "rpi3";
    a_model_that_the_base_cannot_boot: "pi-3" => "pi-zero-w";
    an_unknown_base: "debian-trixie-arm64" => "debian-trixi-arm64";
    an_unknown_cloud: "mqtt:" => "mqqt:";
    an_unknown_version: "version: 1" => "version: 2";
    a_missing_file: "certs/device.pem" => "certs/devise.pem";
    an_unknown_secret: "wifi.greenhouse" => "wifi.grenhouse";
    an_unset_variable: "LAB_PSK" => "LAB_PKS";
    an_unknown_tag: "!secret pi" => "!sercet pi";
    a_certificate_for_a_key: "certs/device.key" => "certs/device.pem";
    a_certificate_without_its_key: "\n      private_key: !file certs/device.key" => "";
    a_passphrase_that_is_too_short: "!secret wifi.greenhouse" => "hunter2";
    a_wpa3_network_with_a_key: "!env LAB_PSK" => "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    an_open_network_with_a_passphrase: "security: open" => "security: open, psk: !secret wifi.greenhouse";
    a_network_without_a_passphrase: ", psk: !secret wifi.greenhouse" => "";
    a_network_named_twice: "ssid: Cafe" => "ssid: Greenhouse";
    a_country_in_full: "country: NL" => "country: Netherlands";
    an_address_without_its_network: "192.168.1.20/24" => "192.168.1.20";
    a_gateway_beside_dhcp: "192.168.1.20/24" => "dhcp";
    a_user_without_a_way_in: "\n  password: !secret pi.password\n  ssh_keys: [ssh-ed25519 AAAAC3Nz me]" => "";
    a_private_ssh_key: "ssh-ed25519 AAAAC3Nz me" => "\"-----BEGIN OPENSSH PRIVATE KEY-----\"";
    a_host_with_a_scheme: "broker.example.org" => "mqtts://broker.example.org";
    an_unknown_name_in_a_template: "{{ sensor.id }}" => "{{ sensor.name }}";
    a_topic_with_a_space: "{{ device.id }}/" => "my house/";
    a_duration_without_a_unit: "interval: 5s" => "interval: 5";
    an_interval_that_is_too_short: "interval: 2s" => "interval: 10ms";
    two_sensors_of_one_id: "id: cpu" => "id: probe";
    a_sensor_that_is_nothing: ", tmp102: {bus: i2c-1, address: 0x48}" => "";
    a_sensor_that_is_two_things: "interval: 2s" => "cpu-temperature: {}";
    an_address_outside_the_bus: "0x48" => "0x80";
    an_address_that_the_chip_cannot_have: "0x48" => "0x40";
    two_sensors_at_one_address: "cpu-temperature: {}" => "tmp102: {}";
    not_yaml: "device:" => "device";
    a_key_twice: "  model: pi-3\n" => "  model: pi-3\n  model: pi-4\n";
    a_tab: "  id: green" => "\tid: green";
}

#[test]
fn all_that_is_wrong_is_shown_at_once() {
    let text = PROFILE
        .replacen("pi-3", "pi-zero-w", 1)
        .replacen("certs/ca.pem", "certs/none.pem", 1)
        .replacen("interval: 2s", "interval: 10ms", 1);
    let report = resolve(&text).unwrap_err();
    assert_eq!(report.matches("error[").count(), 3, "{report}");
}

#[test]
fn a_secret_written_into_the_profile_is_not_in_what_is_printed_about_it() {
    let text = PROFILE.replacen("!secret wifi.greenhouse", "hunter2hunter2, colour: red", 1);
    let report = resolve(&text).unwrap_err();
    assert!(report.contains("colour") && !report.contains("hunter2"), "{report}");
}

#[test]
fn what_would_hurt_a_parser_is_refused_quickly() {
    let bomb: String = (0..30)
        .map(|n| format!("x{n}: &x{n} [{}]\n", vec![format!("*x{}", n.max(1) - 1); 9].join(", ")))
        .collect();
    for text in ["[".repeat(100_000), bomb, "\u{0}".into(), String::new(), "- a\n".repeat(100_000)]
    {
        assert!(resolve(&text).is_err());
    }
}
