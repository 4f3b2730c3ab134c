use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Access, Connect};
use crate::values::{Algorithm, HumanDuration};

/// How long a token is good for. The service takes up to a day; a shorter one is of use to nobody for long.
const LIFE: HumanDuration = HumanDuration::from_secs(3600);

/// A registry that speaks the protocol of Google Cloud IoT Core, and how to get in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoogleIotCore {
    /// The bridge's host.
    pub host: String,
    /// 8883 or 443.
    pub port: u16,
    /// The project's id, which is also the tokens' audience.
    pub project: String,
    /// The device's name there.
    pub device: String,
    /// The MQTT client id: the path of the device.
    pub client_id: String,
    /// How tokens are signed.
    pub algorithm: Algorithm,
    /// The file with the key that signs them (PEM).
    pub private_key: PathBuf,
    /// How long a token is good for.
    #[serde(default = "GoogleIotCore::default_life")]
    pub life: HumanDuration,
    /// The file with the authorities to trust (PEM); none: those that browsers trust.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// Where to connect and whom to trust in place of `host`, `port` and `ca`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect: Option<Connect>,
}

impl GoogleIotCore {
    /// How long a token is good for if nothing else is said.
    pub fn default_life() -> HumanDuration {
        LIFE
    }

    pub(super) fn access(&self) -> Access<'_> {
        Access {
            cloud: "Google IoT Core's protocol",
            host: &self.host,
            port: self.port,
            client_id: &self.client_id,
            secured: true,
            ca: self.ca.as_deref(),
            identity: None,
            connect: self.connect.as_ref(),
        }
    }
}
