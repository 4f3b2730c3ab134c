//! The cloud as the card has it.

mod aws;
mod azure;
mod google;
mod mqtt;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::values::Endpoint;

pub use aws::{AwsIot, Shadow};
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
    /// The file with the authorities that sign for the cloud; none: public ones.
    pub ca: Option<&'a Path>,
    /// The device's own certificate and key.
    pub identity: Option<&'a Identity>,
    /// Where to connect and whom to trust instead.
    pub connect: Option<&'a Connect>,
}

impl<'a> Access<'a> {
    /// The file with the authorities to trust, those of a stand-in before those of the cloud; none: public ones.
    pub fn trusted(&self) -> Option<&'a Path> {
        let instead = self.connect.and_then(|connect| connect.ca.as_deref());
        instead.filter(|_| self.secured).or(self.ca)
    }

    /// Where to connect instead.
    pub fn address(&self) -> Option<&'a Endpoint> {
        self.connect.map(|connect| &connect.address)
    }
}

impl Cloud {
    /// The way in.
    pub fn access(&self) -> Access<'_> {
        match self {
            Self::AwsIot(aws) => aws.access(),
            Self::AzureIotHub(hub) => hub.access(),
            Self::GoogleIotCore(google) => google.access(),
            Self::Mqtt(mqtt) => mqtt.access(),
        }
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
