//! WiFi as wpa_supplicant reads it.

use crate::support::{PROFILE, Project, run};

const CONFIGURATION: &str = "/etc/wpa_supplicant/wpa_supplicant-wlan0.conf";

pub(crate) const WIFI: &str = "\
network:
  wifi:
    country: NL
    networks:
      - {ssid: 'Bär \"1\" {{x}}', psk: !secret wifi.home, hidden: true}
      - {ssid: Lab, security: wpa3, psk: !secret wifi.lab}
      - {ssid: Cafe, security: open}
";

#[test]
fn networks_are_in_order_of_preference_and_keys_are_derived_where_wpa2_allows() {
    let card = Project::with(&format!("{PROFILE}{WIFI}")).build();
    insta::assert_snapshot!(card.read(CONFIGURATION).unwrap());
    let stat = card.stat(CONFIGURATION).unwrap();
    assert_eq!((stat.mode.as_str(), stat.owner), ("0600", (0, 0)));
    assert_eq!(
        card.link("/etc/systemd/system/multi-user.target.wants/wpa_supplicant@wlan0.service")
            .as_deref(),
        Some("/usr/lib/systemd/system/wpa_supplicant@.service")
    );
    assert!(card.boot_file("cmdline.txt").ends_with("rootwait cfg80211.ieee80211_regdom=NL"));
    card.fsck();
}

/// The derived key is the one that `wpa_passphrase`, which comes with wpa_supplicant, derives.
#[test]
fn the_derived_key_is_wpa_passphrase_s() {
    let card = Project::with(&format!("{PROFILE}{WIFI}")).build();
    let judged = run("wpa_passphrase", &["Bär \"1\" {{x}}".as_ref(), "canary-passphrase".as_ref()]);
    let key = judged.lines().find_map(|line| line.trim().strip_prefix("psk=")).unwrap();
    let configuration = card.read(CONFIGURATION).unwrap();
    assert!(configuration.contains(&format!("psk={key}\n")), "{configuration}");
}

#[test]
fn without_wifi_there_is_nothing_of_it() {
    let card = Project::new().build();
    assert_eq!(card.stat(CONFIGURATION), None);
    assert!(!card.boot_file("cmdline.txt").contains("regdom"));
}
