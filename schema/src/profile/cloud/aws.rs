use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};

use super::Connect;
use crate::Sp;
use crate::profile::Source;
use crate::values::{Host, ThingName};

/// AWS IoT Core, over MQTT with a certificate of the device's own.
#[derive(Clone, Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AwsIot {
    /// The account's endpoint, as `aws iot describe-endpoint --endpoint-type iot:Data-ATS` prints it.
    pub endpoint: Sp<Host>,
    /// The port: 8883, or 443 where nothing else gets out. Left out: 8883.
    #[serde(default)]
    pub port: Option<Sp<u16>>,
    /// The thing's name, which is also the MQTT client id. Left out: the device's id.
    #[serde(default)]
    pub thing: Option<Sp<ThingName>>,
    /// The device's certificate (PEM).
    pub certificate: Sp<Source>,
    /// The private key that belongs to it (PEM).
    pub private_key: Sp<Source>,
    /// The authorities to trust (PEM). Left out: Amazon's.
    #[serde(default)]
    pub ca: Option<Sp<Source>>,
    /// Does the device keep a shadow? `true`: the classic one; a name: the shadow of that name. Left out:
    /// none.
    #[serde(default)]
    pub shadow: Sp<Shadow>,
    /// Does the device take jobs, such as a reboot?
    #[serde(default)]
    pub jobs: bool,
    /// Where to connect instead.
    #[serde(default)]
    pub connect: Option<Connect>,
}

/// Which shadow a thing keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Shadow {
    /// None.
    #[default]
    None,
    /// The classic one, which has no name.
    Classic,
    /// One with a name.
    Named(String),
}

impl<'de> Deserialize<'de> for Shadow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShadowVisitor)
    }
}

struct ShadowVisitor;

impl Visitor<'_> for ShadowVisitor {
    type Value = Shadow;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`true`, `false`, or the name of a shadow")
    }

    fn visit_bool<E: de::Error>(self, on: bool) -> Result<Shadow, E> {
        Ok(if on { Shadow::Classic } else { Shadow::None })
    }

    /// Named shadows: 1 to 64 of letters, digits, `:`, `_` and `-`.
    fn visit_str<E: de::Error>(self, name: &str) -> Result<Shadow, E> {
        let plain = |c: char| c.is_ascii_alphanumeric() || ":_-".contains(c);
        if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
            return Err(E::custom(format!(
                "`{name}` cannot be a shadow's name: 1 to 64 letters, digits, `:`, `_` and `-`"
            )));
        }
        Ok(Shadow::Named(name.to_owned()))
    }
}

impl JsonSchema for Shadow {
    fn schema_name() -> Cow<'static, str> {
        "Shadow".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                { "type": "boolean" },
                { "type": "string", "pattern": "^[A-Za-z0-9:_-]{1,64}$" },
            ],
            "examples": [true, "settings"],
        })
    }
}
