//! The cloud as the card has it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::values::Endpoint;

/// Where readings go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cloud {
    /// AWS IoT Core.
    AwsIot(AwsIot),
    /// Any MQTT 3.1.1 broker.
    Mqtt(Mqtt),
}

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
    /// Where to connect and whom to trust in place of `endpoint`, `port` and `ca`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect: Option<Connect>,
}

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
        let (access, ca, connect) = match self {
            Self::AwsIot(aws) => (aws.access(), &aws.ca, &aws.connect),
            Self::Mqtt(mqtt) => {
                let ca = mqtt.tls.as_ref().map_or(&None, |tls| &tls.ca);
                (mqtt.access(), ca, &mqtt.connect)
            }
        };
        let instead = connect.as_ref().and_then(|connect| connect.ca.as_deref());
        Access {
            ca: instead.or(ca.as_deref()).filter(|_| access.secured),
            address: connect.as_ref().map(|connect| &connect.address),
            ..access
        }
    }
}

impl AwsIot {
    fn access(&self) -> Access<'_> {
        Access {
            cloud: "AWS IoT",
            host: &self.endpoint,
            port: self.port,
            client_id: &self.thing,
            secured: true,
            ca: None,
            identity: Some(&self.identity),
            address: None,
        }
    }
}

impl Mqtt {
    fn access(&self) -> Access<'_> {
        Access {
            cloud: "MQTT",
            host: &self.host,
            port: self.port,
            client_id: &self.client_id,
            secured: self.tls.is_some(),
            ca: None,
            identity: self.tls.as_ref().and_then(|tls| tls.identity.as_ref()),
            address: None,
        }
    }
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
