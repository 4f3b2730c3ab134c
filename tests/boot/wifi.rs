//! WiFi, in the guest: a real access point on a simulated radio, and the card's own configuration.

use imgbuild::base::cache::Bases;

use crate::access_point::{self, PASSPHRASE};
use crate::bench::{PATIENCE, Witness, one_at_a_time};
use crate::proof::Proof;

/// A name with all that a careless program trips over: a space, a quote, a letter outside ASCII.
const SSID: &str = "Gänse \"7\" haus";

fn sections() -> String {
    format!(
        "network:\n  wifi:\n    country: NL\n    networks: [{{ssid: '{SSID}', psk: '{PASSPHRASE}'}}]\n\
         sensors: [{{id: cpu, cpu-temperature: {{}}}}]\n"
    )
}

#[test]
fn a_card_joins_its_network_and_no_other_passphrase_lets_it_in() {
    let _one = one_at_a_time();
    let proof = Proof::new(&sections(), &["./access-point"]);
    let octets: String = SSID.bytes().map(|byte| format!("{byte:02x}")).collect();
    let hostapd = |passphrase: &str| {
        format!(
            "interface=wlan1\ndriver=nl80211\nssid2={octets}\nutf8_ssid=1\nhw_mode=g\nchannel=1\n\
             wpa=2\nwpa_key_mgmt=WPA-PSK\nrsn_pairwise=CCMP\nwpa_passphrase={passphrase}\n"
        )
    };
    let base = Bases::of_user().unwrap().path("debian-trixie-arm64").unwrap();
    let script = include_str!("access-point.sh");
    access_point::overlay(&proof.path("access-point"), &base, script, |put| {
        put("opt/ap/right.conf", &hostapd(PASSPHRASE));
        put("opt/ap/wrong.conf", &hostapd("another passphrase"));
    });
    let image = proof.build();
    let card = proof.flash(&image);
    let pi = proof.power_on(&card, 23.5);
    let _witness = Witness::of("wifi", &pi);
    let wait = |what: &str| {
        pi.console().wait_for(what, PATIENCE).unwrap_or_else(|error| panic!("{error:#}"))
    };

    let joined = wait("wlan0: DHCPv4 address 192.168.73.");
    eprintln!("power-on to an address over WiFi: {:.1} s", joined.at.as_secs_f64());
    wait("PROOF status wpa_state=COMPLETED");
    wait("PROOF status ssid=");

    // the access point starts again with another passphrase, which makes the card's the wrong one
    wait("PROOF another passphrase");
    let mark = pi.console().mark();
    pi.console().wait_from(mark, "AP-STA-POSSIBLE-PSK-MISMATCH", PATIENCE).unwrap();
    let (after, _) = pi.console().since(mark);
    let joined = after.iter().find(|line| {
        line.text.contains("wlan0: DHCPv4 address") || line.text.contains("AP-STA-CONNECTED")
    });
    assert!(joined.is_none(), "{joined:?}");

    let failed =
        pi.console().lines().into_iter().filter(|line| line.text.contains("PROOF failed unit"));
    assert_eq!(failed.map(|line| line.text).collect::<Vec<_>>(), Vec::<String>::new());
    let memory = wait("PROOF agent VmRSS");
    eprintln!("{}", memory.text.trim());
    let kibibytes = memory.text.split_whitespace().rev().nth(1).unwrap().parse::<u64>().unwrap();
    assert!(kibibytes <= 12 * 1024, "the agent takes {kibibytes} KiB");
    pi.stop().unwrap();
}
