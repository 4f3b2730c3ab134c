use serde::de::{Deserialize, Deserializer};

use crate::values::Secret;
use crate::yaml::node::{Origin, OriginKind};

/// A text that may be a secret, and where it comes from.
#[derive(Clone, Debug)]
pub struct Source {
    /// The text. Kept like a secret, since it may be one.
    pub text: Secret,
    /// Where it was looked up; none: it is written in the profile.
    pub origin: Option<Origin>,
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// What the profile's own reader gives under this name.
        #[derive(serde::Deserialize)]
        #[serde(rename = "$imgbuild::Origin")]
        struct Found {
            text: String,
            #[serde(default)]
            kind: String,
            #[serde(default)]
            name: String,
        }
        let Found { text, kind, name } = Found::deserialize(deserializer)?;
        let origin = OriginKind::of(&kind).map(|kind| Origin { kind, name });
        Ok(Self { text: Secret::new(text), origin })
    }
}
