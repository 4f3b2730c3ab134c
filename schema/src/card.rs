//! The profile that lies on the card: what the agent reads at each start.
//!
//! It is the user's profile with everything resolved: templates filled in, defaults written out, and
//! each secret replaced by the path of the file that holds it. So it holds no secret itself.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::sensor::Driver;
use crate::telemetry::{KEEPALIVE, Queue, Reconnect};
use crate::values::{DeviceId, Endpoint, HumanDuration, QoS, SensorId, Topic};

/// Where the profile lies on the device.
pub const PROFILE_PATH: &str = "/etc/imgbuild/profile.yaml";

/// Where keys, certificates and passwords lie on the device, readable by the agent alone.
pub const CREDENTIALS_PATH: &str = "/etc/imgbuild/credentials";

/// The version of the card profile that this program writes and reads.
pub const VERSION: u32 = 1;

/// Everything the agent is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardProfile {
    /// [`VERSION`].
    pub version: u32,
    /// Who the device is.
    pub device: Device,
    /// Where readings go.
    pub cloud: Cloud,
    /// How they get there.
    pub telemetry: Delivery,
    /// What is read.
    pub sensors: Vec<Sensor>,
}

/// Who the device is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Its name at the cloud, and in every message.
    pub id: DeviceId,
}

/// Where readings go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cloud {
    /// Any MQTT 3.1.1 broker.
    Mqtt(Mqtt),
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

/// How readings get to the cloud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// How surely.
    pub qos: QoS,
    /// How many wait while the cloud is away.
    pub queue: Queue,
    /// How patiently.
    pub reconnect: Reconnect,
    /// How long a connection may be silent before it is asked whether it is still there.
    #[serde(default = "Delivery::default_keepalive")]
    pub keepalive: HumanDuration,
    /// How long one attempt to connect may take.
    pub connect_timeout: HumanDuration,
    /// How long an acknowledgement may take.
    pub ack_timeout: HumanDuration,
}

impl Delivery {
    fn default_keepalive() -> HumanDuration {
        KEEPALIVE
    }
}

/// One sensor: what it is, how often it is read and where its readings go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sensor {
    /// Its name in messages.
    pub id: SensorId,
    /// Where its messages are published.
    pub topic: Topic,
    /// How often it is read.
    pub interval: HumanDuration,
    /// What it is.
    pub driver: Driver,
}
