use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Access, Connect, Identity};
use crate::values::{Protocol, Topic};

/// An MQTT broker and how to get in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mqtt {
    /// The broker's name, which its certificate must bear.
    pub host: String,
    /// Its TCP port.
    pub port: u16,
    /// The MQTT client id.
    pub client_id: String,
    /// How the connection is secured; none: in clear, as the profile asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// The user name, if the broker wants one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The file with the password, if the broker wants one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<PathBuf>,
    /// Where it says whether it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Topic>,
    /// Where it takes commands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commands: Option<Topic>,
    /// Where to connect and whom to trust in place of `host`, `port` and the authorities of `tls`.
    /// The name in the handshake stays `host`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect: Option<Connect>,
}

/// How a connection is secured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The file with the authorities to trust (PEM); none: the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// The device's own certificate and key, if the broker asks for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// The protocols to ask for in the handshake (ALPN).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alpn: Vec<Protocol>,
}

impl Mqtt {
    pub(super) fn access(&self) -> Access<'_> {
        Access {
            cloud: "MQTT",
            host: &self.host,
            port: self.port,
            client_id: &self.client_id,
            secured: self.tls.is_some(),
            ca: self.tls.as_ref().and_then(|tls| tls.ca.as_deref()),
            identity: self.tls.as_ref().and_then(|tls| tls.identity.as_ref()),
            connect: self.connect.as_ref(),
        }
    }
}
