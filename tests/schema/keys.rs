//! Keys and certificates for one run of the tests: right ones, and each kind of wrong one.

use std::collections::HashMap;
use std::sync::OnceLock;

use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P384_SHA384, date_time_ymd};

/// The time of the tests: 1 March 2026.
pub(crate) const NOW: u64 = 1_772_323_200;

/// The files, by the names under which profiles have them.
pub(crate) struct Keys {
    files: HashMap<&'static str, String>,
}

/// A self-signed certificate for `name` that holds between two years.
fn certificate(name: &str, key: &KeyPair, years: (i32, i32)) -> String {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(years.0, 1, 1);
    params.not_after = date_time_ymd(years.1, 1, 1);
    params.self_signed(key).unwrap().pem()
}

impl Keys {
    /// The keys of this run.
    pub(crate) fn get() -> &'static Self {
        static KEYS: OnceLock<Keys> = OnceLock::new();
        KEYS.get_or_init(Self::make)
    }

    fn make() -> Self {
        let own = KeyPair::generate().unwrap();
        let other = KeyPair::generate().unwrap();
        let p384 = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        let account = serde_json::json!({
            "client_email": "pi@greenhouses.iam.gserviceaccount.com",
            "private_key": other.serialize_pem(),
            "private_key_id": "0123",
            "project_id": "greenhouses",
        });
        let id = "greenhouse-01";
        let files = HashMap::from([
            ("certs/ca.pem", certificate("authority", &other, (2020, 2040))),
            ("certs/device.pem", certificate(id, &own, (2020, 2040))),
            ("certs/device.key", own.serialize_pem()),
            ("certs/expired.pem", certificate(id, &own, (2020, 2021))),
            ("certs/early.pem", certificate(id, &own, (2030, 2031))),
            ("certs/cellar.pem", certificate("cellar-01", &own, (2020, 2040))),
            ("certs/other.key", other.serialize_pem()),
            ("certs/p384.key", p384.serialize_pem()),
            ("certs/locked.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n".into()),
            ("certs/damaged.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".into()),
            ("certs/greenhouse-01.pem", certificate(id, &own, (2020, 2040))),
            ("account.json", account.to_string()),
            ("wifi.yaml", "country: NL\nnetworks:\n  - {ssid: Greenhouse, psk: !secret wifi.greenhouse}\n".into()),
            ("wrong-wifi.yaml", "country: NL\nnetworks:\n  - {ssid: Greenhouse, pks: !secret wifi.greenhouse}\n".into()),
            ("loop.yaml", "again: !include loop.yaml\n".into()),
        ]);
        Self { files }
    }

    /// All of them.
    pub(crate) fn files(&self) -> HashMap<&'static str, String> {
        self.files.clone()
    }
}
