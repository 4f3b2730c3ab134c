//! What is known of the device so far, and the profile that it makes.

use std::collections::BTreeMap;

use imgbuild_schema::profile::{Model, NamedBase, VERSION};
use imgbuild_schema::values::Secret;

use super::cloud::{CLOUDS, Cloud, Field, Kind};
use super::draft::Draft;
use super::yaml::{Page, quoted};

/// The answers, of which those that were not given yet are examples: the profile is complete at any time.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    pub(super) id: String,
    pub(super) model: Model,
    pub(super) base: NamedBase,
    pub(super) wifi: Option<Wifi>,
    pub(super) access: Option<Access>,
    pub(super) cloud: &'static Cloud,
    /// What was answered about the cloud, by key.
    pub(super) values: BTreeMap<&'static str, Value>,
    pub(super) sensors: Vec<&'static Sensor>,
}

/// A WiFi network.
#[derive(Clone, Debug)]
pub(super) struct Wifi {
    pub(super) country: String,
    pub(super) ssid: String,
    /// None: the network is open.
    pub(super) psk: Option<Secret>,
}

/// Who can log in.
#[derive(Clone, Debug)]
pub(super) struct Access {
    pub(super) user: String,
    /// The path of a public key.
    pub(super) ssh_key: Option<String>,
    pub(super) password: Option<Secret>,
}

/// What was answered about a key of a cloud.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// Nothing yet, though it must be there.
    Unanswered,
    Text(String),
    Secret(Secret),
}

/// A sensor to choose.
#[derive(Debug)]
pub(super) struct Sensor {
    /// Its key in a profile.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    /// What it is called in topics.
    id: &'static str,
    /// Where it is, in YAML.
    place: &'static str,
}

/// Every sensor.
pub(super) const SENSORS: [Sensor; 4] = [
    Sensor {
        name: "tmp102",
        title: "temperature, on the I²C pins",
        id: "probe",
        place: "{bus: i2c-1, address: 0x48}",
    },
    Sensor {
        name: "bme680",
        title: "temperature, humidity, pressure, gas, on the I²C pins",
        id: "air",
        place: "{bus: i2c-1, address: 0x76}",
    },
    Sensor {
        name: "sense-hat",
        title: "temperature, humidity, pressure of a Sense HAT",
        id: "hat",
        place: "{}",
    },
    Sensor {
        name: "cpu-temperature",
        title: "temperature of the processor; needs nothing",
        id: "cpu",
        place: "{}",
    },
];

/// A name that no file of secrets is asked for: what stands there is not known yet.
const UNANSWERED: &str = "!secret unanswered";

impl Answers {
    /// An example of everything.
    pub(super) fn examples() -> Self {
        Self {
            id: "example".into(),
            model: Model::Pi3,
            base: NamedBase::DebianTrixieArm64,
            wifi: None,
            access: None,
            cloud: &CLOUDS[0],
            values: [("host", Value::Text("broker.example.org".into()))].into(),
            sensors: vec![&SENSORS[3]],
        }
    }

    /// What the secret is called that belongs to this part of the device.
    pub(super) fn secret_name(&self, part: &str) -> String {
        format!("{}.{part}", self.id)
    }

    /// The profile, and the secrets that it names.
    pub(super) fn draft(&self) -> Draft {
        let mut writer = Writer { answers: self, page: Page::default(), secrets: BTreeMap::new() };
        writer.device();
        writer.network();
        writer.access();
        writer.cloud();
        writer.sensors();
        let (text, paths) = writer.page.into_parts();
        Draft { text, paths, secrets: writer.secrets }
    }
}

/// Writes a profile.
struct Writer<'a> {
    answers: &'a Answers,
    page: Page,
    secrets: BTreeMap<String, Secret>,
}

impl Writer<'_> {
    fn device(&mut self) {
        let Answers { id, model, base, .. } = self.answers;
        self.page.comment(
            "Made by `imgbuild init`, and yours to change. `imgbuild explain KEY` says what a key means.",
        );
        self.page.entry("version", &VERSION.to_string());
        self.page.entry("device.id", &quoted(id));
        self.page.entry("device.model", model.name());
        self.page.comment("the operating system to start from");
        self.page.entry("base", base.name());
    }

    fn network(&mut self) {
        let Some(wifi) = &self.answers.wifi else {
            self.page.comment("a wired network that gives it an address");
            return self.page.entry("network.ethernet.address", "dhcp");
        };
        self.page.entry("network.wifi.country", &quoted(&wifi.country));
        self.page.entry("network.wifi.networks.-.ssid", &quoted(&wifi.ssid));
        match &wifi.psk {
            Some(psk) => {
                let psk = self.secret("wifi", psk);
                self.page.entry("network.wifi.networks.-.psk", &psk);
            }
            None => self.page.entry("network.wifi.networks.-.security", "open"),
        }
    }

    fn access(&mut self) {
        let Some(access) = &self.answers.access else {
            return self.page.comment("nobody can log in: there is no `access`");
        };
        self.page.comment("who can log in; a password is for the console, SSH is for keys");
        self.page.entry("access.user", &quoted(&access.user));
        if let Some(password) = &access.password {
            let password = self.secret("login", password);
            self.page.entry("access.password", &password);
        }
        if let Some(path) = &access.ssh_key {
            self.page.entry("access.ssh_keys", &format!("[!file {}]", quoted(path)));
        }
    }

    fn cloud(&mut self) {
        let cloud = self.answers.cloud;
        self.page.comment("where readings go");
        let mut written = Vec::new();
        for field in cloud.fields() {
            let Some(value) = self.answers.values.get(field.key) else { continue };
            // a key of two ways comes twice
            if !written.contains(&field.key) {
                written.push(field.key);
                let value = self.value(field, value);
                self.page.entry(&path(cloud, field), &value);
            }
        }
    }

    fn value(&mut self, field: &Field, value: &Value) -> String {
        match (value, field.kind) {
            (Value::Unanswered, _) => UNANSWERED.into(),
            (Value::Secret(secret), _) => self.secret(self.answers.cloud.name, secret),
            (Value::Text(path), Kind::File(_)) => format!("!file {}", quoted(path)),
            (Value::Text(text), Kind::Number) if text.bytes().all(|c| c.is_ascii_digit()) => {
                text.clone()
            }
            (Value::Text(_), Kind::Fixed(text)) => text.to_owned(),
            (Value::Text(text), _) => quoted(text),
        }
    }

    fn sensors(&mut self) {
        self.page.comment("what is read, and how often");
        self.page.entry("telemetry.interval", "10s");
        for Sensor { name, id, place, .. } in &self.answers.sensors {
            self.page.entry("sensors.-.id", id);
            self.page.entry(&format!("sensors.-.{name}"), place);
            self.page.end_item();
        }
    }

    /// Keeps a secret and returns what stands in its place.
    fn secret(&mut self, part: &str, secret: &Secret) -> String {
        let name = self.answers.secret_name(part);
        let shown = format!("!secret {}", quoted(&name));
        self.secrets.insert(name, secret.clone());
        shown
    }
}

/// Where a cloud's key stands in the profile.
pub(super) fn path(cloud: &Cloud, field: &Field) -> String {
    format!("cloud.{}.{}", cloud.name, field.path)
}
