use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::Connect;
use crate::Sp;
use crate::profile::Source;
use crate::values::{ClientId, Host, Protocol};

/// An MQTT broker.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mqtt {
    /// Its name, which its certificate must bear.
    pub host: Sp<Host>,
    /// Its TCP port. Left out: 8883 with TLS, 1883 without.
    #[serde(default)]
    pub port: Option<Sp<u16>>,
    /// How the connection is secured. Left out: TLS, and the authorities that browsers trust.
    /// `false`: in clear.
    #[serde(default)]
    pub tls: Sp<Tls>,
    /// The user to log in as.
    #[serde(default)]
    #[schemars(example = &"greenhouse")]
    pub username: Option<Sp<String>>,
    /// That user's password.
    #[serde(default)]
    pub password: Option<Sp<Source>>,
    /// The MQTT client id. Left out: the device's id.
    #[serde(default)]
    pub client_id: Option<Sp<ClientId>>,
    /// A topic that says whether the device is there: a retained `online`, and `offline` once it is gone, from the broker if the
    /// device can no longer say so. A template of `device.id`. Left out: none.
    #[serde(default)]
    #[schemars(example = &"{{ device.id }}/status")]
    pub status: Option<Sp<String>>,
    /// A topic on which the device takes commands; it answers below it, on `…/answer`. The broker keeps those that come while the
    /// device is away, unless readings go at QoS 2; one that is retained is not done. A template of `device.id`. Left out: none.
    #[serde(default)]
    #[schemars(example = &"{{ device.id }}/commands")]
    pub commands: Option<Sp<String>>,
    /// Where to connect and whom to trust instead: a gateway, a private endpoint, a test double.
    #[serde(default)]
    pub connect: Option<Connect>,
}

/// Whether and how a connection is secured.
#[derive(Clone, Debug)]
pub enum Tls {
    /// In clear.
    Off,
    /// With TLS.
    On(Box<TlsSettings>),
}

impl Default for Tls {
    fn default() -> Self {
        Self::On(Box::default())
    }
}

/// How a connection is secured.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsSettings {
    /// The authorities to trust (PEM). Left out: those that browsers trust.
    #[serde(default)]
    pub ca: Option<Sp<Source>>,
    /// The device's own certificate (PEM).
    #[serde(default)]
    pub certificate: Option<Sp<Source>>,
    /// The private key that belongs to it (PEM).
    #[serde(default)]
    pub private_key: Option<Sp<Source>>,
    /// The protocols to ask for in the handshake (ALPN), where a port serves several. Left out: none.
    #[serde(default)]
    pub alpn: Vec<Sp<Protocol>>,
}

impl<'de> Deserialize<'de> for Tls {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TlsVisitor)
    }
}

impl JsonSchema for Tls {
    fn schema_name() -> Cow<'static, str> {
        "Tls".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let settings = generator.subschema_for::<TlsSettings>();
        json_schema!({ "anyOf": [settings, { "type": "boolean" }] })
    }
}

struct TlsVisitor;

impl<'de> Visitor<'de> for TlsVisitor {
    type Value = Tls;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`false`, or a map with `ca`, `certificate` and `private_key`")
    }

    fn visit_bool<E: serde::de::Error>(self, on: bool) -> Result<Tls, E> {
        Ok(if on { Tls::default() } else { Tls::Off })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Tls, A::Error> {
        TlsSettings::deserialize(MapAccessDeserializer::new(map)).map(|it| Tls::On(Box::new(it)))
    }
}
