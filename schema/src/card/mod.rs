//! The profile that lies on the card: what the agent reads at each start.
//!
//! It is the user's profile with everything resolved: templates filled in, defaults written out, and
//! each secret replaced by the path of the file that holds it. So it holds no secret itself.

mod cloud;

use serde::{Deserialize, Serialize};

use crate::sensor::Driver;
use crate::telemetry::{KEEPALIVE, Queue, Reconnect};
use crate::values::{DeviceId, HumanDuration, QoS, SensorId, Topic};

pub use cloud::{
    Access, AwsIot, AzureIotHub, Cloud, Connect, GoogleIotCore, HubAuth, HubKey, Identity, Mqtt,
    Shadow, Tls,
};

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
