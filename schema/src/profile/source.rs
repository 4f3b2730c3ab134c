use serde::de::{Deserialize, Deserializer, Error};
use serde_saphyr::Tagged;

use crate::problem::nearest;
use crate::values::Secret;

/// Where a value comes from: the profile itself, or a place that the profile names by a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Written in the profile. Kept like a secret, since it may be one.
    Literal(Secret),
    /// `!secret NAME`: looked up in `secrets.yaml` beside the profile.
    Secret(String),
    /// `!env NAME`: an environment variable.
    Variable(String),
    /// `!file PATH`: a file, relative to the profile.
    File(String),
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Tagged(text, tag) = Tagged::<String>::deserialize(deserializer)?;
        match tag.as_deref() {
            None | Some("tag:yaml.org,2002:str") => Ok(Self::Literal(Secret::new(text))),
            Some("!secret") => Ok(Self::Secret(text)),
            Some("!env") => Ok(Self::Variable(text)),
            Some("!file") => Ok(Self::File(text)),
            Some(tag) => Err(D::Error::custom(match nearest(tag, ["!secret", "!env", "!file"]) {
                Some(known) => format!("unknown tag `{tag}`; did you mean `{known}`?"),
                None => format!("unknown tag `{tag}`; known are `!secret`, `!env` and `!file`"),
            })),
        }
    }
}
