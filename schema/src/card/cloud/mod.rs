//! The cloud as the card has it.

mod aws;
mod azure;
mod google;
mod mqtt;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::values::Endpoint;

pub use aws::AwsIot;
pub use azure::{AzureIotHub, HubAuth, HubKey};
pub use google::GoogleIotCore;
pub use mqtt::{Mqtt, Tls};

/// Where readings go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cloud {
    /// AWS IoT Core.
    AwsIot(AwsIot),
    /// Azure IoT Hub.
    AzureIotHub(AzureIotHub),
    /// The protocol of Google Cloud IoT Core.
    GoogleIotCore(GoogleIotCore),
    /// Any MQTT 3.1.1 broker.
    Mqtt(Mqtt),
}

/// What every cloud has of a way in, whatever it calls it.
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    /// What the cloud is called.
    pub cloud: &'static str,
    /// The name that the other side's certificate must bear.
    pub host: &'a str,
    /// The TCP port.
    pub port: u16,
    /// The MQTT client id.
    pub client_id: &'a str,
    /// Whether the connection is secured by TLS.
    pub secured: bool,
    /// The file with the authorities to trust, those of `connect` before those of the cloud; none: public
    /// ones.
    pub ca: Option<&'a Path>,
    /// The device's own certificate and key.
    pub identity: Option<&'a Identity>,
    /// Where to connect instead.
    pub address: Option<&'a Endpoint>,
}

impl Cloud {
    /// The way in.
    pub fn access(&self) -> Access<'_> {
        let (access, connect) = match self {
            Self::AwsIot(aws) => (aws.access(), &aws.connect),
            Self::AzureIotHub(hub) => (hub.access(), &hub.connect),
            Self::GoogleIotCore(google) => (google.access(), &google.connect),
            Self::Mqtt(mqtt) => (mqtt.access(), &mqtt.connect),
        };
        let Some(connect) = connect else { return access };
        let ca = connect.ca.as_deref().filter(|_| access.secured).or(access.ca);
        Access { ca, address: Some(&connect.address), ..access }
    }
}

/// The files of a certificate chain and its private key (PEM).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The chain, the device's own certificate first.
    pub certificate: PathBuf,
    /// The key that belongs to it.
    pub private_key: PathBuf,
}

/// A stand-in for the cloud: a gateway, a private endpoint, a test double.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connect {
    /// Where it listens.
    pub address: Endpoint,
    /// The file with the authorities to trust there (PEM); none: those of the cloud.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
}
