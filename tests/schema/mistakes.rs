//! What is printed about a profile with a mistake in it: what, where, why, what to do.

use imgbuild_schema::Code;
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
    a_base_with_a_scheme: "base: debian-trixie-arm64" => "base: {url: \"ftp://example.org/a.img\", sha256: 00}";
    a_base_without_its_hash: "base: debian-trixie-arm64" => "base: {url: \"https://example.org/a.img\"}";
    a_base_that_is_two: "base: debian-trixie-arm64" => "base: {file: a.img, url: \"https://example.org/a.img\"}";
    a_base_that_is_nothing: "base: debian-trixie-arm64" => "base: {}";
    a_base_that_is_a_list: "base: debian-trixie-arm64" => "base: [a]";
    a_release_that_is_none: "base: debian-trixie-arm64" => "base: raspios-lite-arm64@Bookworm";
    a_release_of_a_base_without_any: "base: debian-trixie-arm64" => "base: debian-trixie-arm64@trixie";
    a_release_of_a_base_that_is_none: "base: debian-trixie-arm64" => "base: raspios-lit-arm64@trixie";
    an_id_with_a_slash: "id: greenhouse-01" => "id: green/house";
    a_host_name_with_an_underscore: "id: greenhouse-01" => "id: greenhouse-01\n  hostname: green_house";
    an_id_that_is_no_host_name: "id: greenhouse-01" => "id: green_house";
    a_host_name_with_an_unknown_template: "id: greenhouse-01" => "id: greenhouse-01\n  hostname: \"{{ sensor.id }}\"";
    a_keyboard_in_capitals: "timezone: Europe/Amsterdam" => "keyboard: GB";
    a_locale_of_another_encoding: "timezone: Europe/Amsterdam" => "locale: de_DE.ISO-8859-1";
    a_time_zone_that_leaves_the_database: "Europe/Amsterdam" => "../../etc/passwd";
    a_user_called_root: "user: pi" => "user: root";
    a_user_with_a_capital: "user: pi" => "user: Pi";
    a_country_that_there_is_not: "country: NL" => "country: XX";
    a_country_by_its_other_name: "country: NL" => "country: UK";
    a_country_in_small_letters: "country: NL" => "country: nl";
    no_country: "    country: NL\n" => "";
    a_key_that_is_nearly_right: "country: NL" => "contry: NL";
    a_network_name_that_is_too_long: "ssid: Cafe" => "ssid: Cafe Cafe Cafe Cafe Cafe Cafe Cafe";
    a_network_without_a_name: "ssid: Cafe" => "ssid: \"\"";
    an_unknown_security: "security: open" => "security: wep";
    an_unknown_backend: "country: NL" => "country: NL\n    backend: netplan";
    an_unknown_first_boot: "base:" => "first_boot: cloud_init\nbase:";
    a_backend_that_cloud_init_does_not_use: "network:\n  wifi:\n" => "first_boot: cloud-init\nnetwork:\n  wifi:\n    backend: wpa_supplicant\n";
    a_passphrase_with_an_umlaut: "!secret wifi.greenhouse" => "pässwört-lang";
    a_truth_value_in_quotes: "hidden: true" => "hidden: \"true\"";
    a_truth_value_of_old: "hidden: true" => "hidden: yes";
    a_gateway_on_another_network: "gateway: 192.168.1.1" => "gateway: 192.168.2.1";
    a_gateway_that_is_the_device: "gateway: 192.168.1.1" => "gateway: 192.168.1.20";
    a_name_server_that_is_no_address: "dns: [192.168.1.1]" => "dns: [one.one.one.one]";
    a_topic_with_a_leading_slash: "{{ device.id }}/" => "/a/";
    a_topic_of_the_broker_s: "{{ device.id }}/" => "$SYS/";
    a_topic_with_a_wildcard: "{{ device.id }}/" => "a/+/";
    a_template_that_does_not_end: "{{ sensor.id }}" => "{{ sensor.id";
    a_duration_in_weeks: "interval: 5s" => "interval: 5w";
    a_size_without_a_unit: "interval: 5s" => "queue: {max_bytes: 64}";
    a_queue_that_holds_nothing: "interval: 5s" => "queue: {max_bytes: 1KiB}";
    an_unknown_way_to_drop: "interval: 5s" => "queue: {when_full: drop-all}";
    a_share_beyond_the_whole: "interval: 5s" => "reconnect: {jitter: 150%}";
    waits_that_shrink: "interval: 5s" => "reconnect: {first: 1min, max: 1s}";
    a_connection_that_is_good_too_soon: "interval: 5s" => "reconnect: {first: 10s, stable: 5s}";
    a_rate_without_a_unit: "interval: 5s" => "drain_rate: 2";
    a_rate_that_never_catches_up: "interval: 5s" => "drain_rate: 1/min";
    a_payload_that_there_is_not: "interval: 5s" => "payload: records";
    a_qos_that_is_none: "interval: 5s" => "qos: 3";
    a_time_out_of_nothing: "interval: 5s" => "ack_timeout: 0s";
    a_pin_beyond_the_header: "sensors:" => "inputs: [{id: door, button: {gpio: 40}}]\nsensors:";
    two_uses_of_one_pin: "sensors:" => "inputs: [{id: door, button: {gpio: 17}}]\noutputs: [{id: lamp, led: {gpio: 17}}]\nsensors:";
    a_pin_of_the_bus: "sensors:" => "outputs: [{id: lamp, led: {gpio: 2}}]\nsensors:";
    an_input_called_like_a_sensor: "sensors:" => "inputs: [{id: cpu, button: {gpio: 17}}]\nsensors:";
    an_output_that_shows_something_else: "sensors:" => "outputs: [{id: lamp, led: {gpio: 17}, shows: time}]\nsensors:";
    a_bme680_where_none_can_be: "tmp102: {bus: i2c-1, address: 0x48}" => "bme680: {address: 0x48}";
    a_sense_hat_with_settings: "tmp102: {bus: i2c-1, address: 0x48}" => "sense-hat: {address: 0x48}";
    a_bus_that_is_none: "bus: i2c-1" => "bus: 1";
    no_sensors: "sensors:" => "x-sensors:";
    an_included_file_with_a_mistake: "wifi:\n    country: NL\n    networks:\n      - {ssid: Greenhouse, psk: !secret wifi.greenhouse}\n      - {ssid: Cafe, security: open}\n      - {ssid: Lab, security: wpa3, psk: !env LAB_PSK, hidden: true}" => "wifi: !include wrong-wifi.yaml";
    an_included_file_that_is_not_there: "  model: pi-3" => "  model: !include model.yaml";
    a_file_that_includes_itself: "  model: pi-3" => "  model: !include loop.yaml";
    an_alias_of_nothing: "  model: pi-3" => "  model: *other";
    a_merge_of_a_text: "  model: pi-3" => "  model: pi-3\n  <<: text";
    a_key_that_is_a_list: "  model: pi-3" => "  model: pi-3\n  [a]: b";
    a_secret_without_a_name: "!secret wifi.greenhouse" => "!secret";
    a_file_by_the_device_s_name: "certs/device.pem" => "certs/{{ device.name }}.pem";
    two_documents: "version: 1" => "version: 1\n---\nversion: 1";
    a_map_where_a_list_belongs: "ssh_keys: [ssh-ed25519 AAAAC3Nz me]" => "ssh_keys: {me: ssh-ed25519 AAAAC3Nz}";
    a_key_with_two_letters_changed: "psk: !secret" => "pks: !secret";
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
    // nor if its key is mistyped
    let text = PROFILE.replacen("psk: !secret wifi.greenhouse", "pks: hunter2hunter2", 1);
    let report = resolve(&text).unwrap_err();
    assert!(report.contains("pks") && !report.contains("hunter2"), "{report}");
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

#[test]
fn every_code_has_a_mistake_that_shows_it() {
    let shown: String =
        std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/schema/snapshots"))
            .unwrap()
            .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
            .collect();
    // those that the base, an overlay or a build brings to light are shown by the builder's tests
    let elsewhere = [Code::NotInBase, Code::BadOverlay, Code::NotYet];
    for code in Code::ALL.iter().filter(|code| !elsewhere.contains(code)) {
        assert!(shown.contains(&format!("[{code}]")), "nothing shows {code}");
    }
}
