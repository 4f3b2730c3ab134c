use serde::Deserialize;

use crate::Sp;
use crate::telemetry::{ACK_TIMEOUT, CONNECT_TIMEOUT, INTERVAL, Queue, Reconnect};
use crate::values::{HumanDuration, QoS};

/// How readings get to the cloud.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Telemetry {
    /// Where a sensor's messages are published: a template of `device.id` and `sensor.id`.
    pub topic: Sp<String>,
    /// How surely: `1` is kept until the broker has acknowledged it, `0` is sent and forgotten.
    pub qos: QoS,
    /// How often a sensor is read that does not say so itself.
    pub interval: Sp<HumanDuration>,
    /// How much is kept while the cloud cannot be reached.
    pub queue: Queue,
    /// How patiently a lost connection is made again.
    pub reconnect: Sp<Reconnect>,
    /// How long one attempt to connect may take.
    pub connect_timeout: Sp<HumanDuration>,
    /// How long the broker may take to acknowledge a message.
    pub ack_timeout: Sp<HumanDuration>,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            topic: Sp::implied("{{ device.id }}/{{ sensor.id }}".to_owned()),
            qos: QoS::default(),
            interval: Sp::implied(INTERVAL),
            queue: Queue::default(),
            reconnect: Sp::default(),
            connect_timeout: Sp::implied(CONNECT_TIMEOUT),
            ack_timeout: Sp::implied(ACK_TIMEOUT),
        }
    }
}
