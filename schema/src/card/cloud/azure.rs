use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Access, Connect, Identity};
use crate::values::HumanDuration;

/// The port of MQTT over TLS, the only one that a hub has for MQTT alone.
const PORT: u16 = 8883;

/// How long a token is good for: as long as the hub's own clients make theirs.
const LIFE: HumanDuration = HumanDuration::from_secs(3600);

/// Azure IoT Hub and how to get in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AzureIotHub {
    /// The hub's host name.
    pub hub: String,
    /// The device's name there, which is the MQTT client id too.
    pub device: String,
    /// How the device proves who it is.
    pub auth: HubAuth,
    /// The file with the authorities to trust (PEM); none: those that Azure uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// Where to connect and whom to trust in place of `hub` and `ca`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect: Option<Connect>,
}

/// How a device proves to a hub who it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HubAuth {
    /// By tokens that it makes.
    Sas(HubKey),
    /// By a certificate.
    X509(Identity),
}

/// What tokens are made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HubKey {
    /// The file with the device's key, in Base64.
    pub key: PathBuf,
    /// How long a token is good for.
    #[serde(default = "HubKey::default_life")]
    pub life: HumanDuration,
}

impl HubKey {
    /// Tokens of the usual life from this key.
    pub fn new(key: PathBuf) -> Self {
        Self { key, life: LIFE }
    }

    fn default_life() -> HumanDuration {
        LIFE
    }
}

impl AzureIotHub {
    pub(super) fn access(&self) -> Access<'_> {
        Access {
            cloud: "Azure IoT Hub",
            host: &self.hub,
            port: PORT,
            client_id: &self.device,
            secured: true,
            ca: self.ca.as_deref(),
            identity: match &self.auth {
                HubAuth::X509(identity) => Some(identity),
                HubAuth::Sas(_) => None,
            },
            connect: self.connect.as_ref(),
        }
    }
}
