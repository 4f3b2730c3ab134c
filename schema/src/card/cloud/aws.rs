use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Access, Connect, Identity};

/// AWS IoT Core and how to get in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AwsIot {
    /// The account's endpoint.
    pub endpoint: String,
    /// 8883 or 443.
    pub port: u16,
    /// The thing's name, which is the MQTT client id too.
    pub thing: String,
    /// The file with the authorities to trust (PEM); none: Amazon's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// The device's own certificate and key.
    pub identity: Identity,
    /// The shadow it keeps; none: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<Shadow>,
    /// Where to connect and whom to trust in place of `endpoint`, `port` and `ca`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect: Option<Connect>,
}

/// A device shadow: a document in which the cloud says what it wants of the device, and the device how it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shadow {
    /// The one that every thing may have.
    Classic,
    /// One of several.
    Named(String),
}

/// What a device listens to. `documents` is for those who watch, and `delete` is asked for by others; that the shadow is gone is
/// heard all the same.
const HEARD: [&str; 6] = [
    "get/accepted",
    "get/rejected",
    "update/accepted",
    "update/rejected",
    "update/delta",
    "delete/accepted",
];

/// What a device asks for.
const ASKED: [&str; 2] = ["get", "update"];

impl Shadow {
    /// How the topics of a thing's shadow begin.
    pub fn prefix(&self, thing: &str) -> String {
        match self {
            Self::Classic => format!("$aws/things/{thing}/shadow/"),
            Self::Named(name) => format!("$aws/things/{thing}/shadow/name/{name}/"),
        }
    }

    /// The topics that the device listens to.
    pub fn heard(&self, thing: &str) -> Vec<String> {
        HEARD.iter().map(|topic| self.prefix(thing) + topic).collect()
    }

    /// The topics that the device publishes to.
    pub fn asked(&self, thing: &str) -> Vec<String> {
        ASKED.iter().map(|topic| self.prefix(thing) + topic).collect()
    }
}

impl AwsIot {
    pub(super) fn access(&self) -> Access<'_> {
        Access {
            cloud: "AWS IoT",
            host: &self.endpoint,
            port: self.port,
            client_id: &self.thing,
            secured: true,
            ca: self.ca.as_deref(),
            identity: Some(&self.identity),
            connect: self.connect.as_ref(),
        }
    }
}
