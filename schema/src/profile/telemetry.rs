use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Sp;
use crate::telemetry::{ACK_TIMEOUT, CONNECT_TIMEOUT, INTERVAL, KEEPALIVE, MAX_BYTES, Reconnect};
use crate::values::{ByteSize, HumanDuration, QoS, Rate};

/// How readings get to the cloud.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Telemetry {
    /// Where a sensor's messages are published: a template of `device.id` and `sensor.id`. Clouds that have
    /// topics of their own put it where they allow; at AWS IoT `$aws/rules/RULE/…` goes to that rule alone (Basic Ingest).
    pub topic: Sp<String>,
    /// What a message holds: `record`, all that a sensor measures at once; `reading`, one value.
    pub payload: Sp<Payload>,
    /// How surely: `1` is kept until the broker has acknowledged it, `0` is sent and forgotten, `2`, which only brokers of your own
    /// take, comes once while a connection holds.
    pub qos: Sp<QoS>,
    /// How often a sensor is read that does not say so itself.
    pub interval: Sp<HumanDuration>,
    /// How much is kept while the cloud cannot be reached.
    pub queue: Queue,
    /// How patiently a lost connection is made again.
    pub reconnect: Sp<Reconnect>,
    /// How many queued messages are sent in a given time after an outage, beside the live ones.
    pub drain_rate: Sp<Rate>,
    /// How long a connection may be silent before it is asked whether it is still there.
    pub keepalive: Sp<HumanDuration>,
    /// How long one attempt to connect may take.
    pub connect_timeout: Sp<HumanDuration>,
    /// How long the broker may take to acknowledge a message.
    pub ack_timeout: Sp<HumanDuration>,
}

/// What a message holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Payload {
    /// One message for each time a sensor is read, with all its values.
    #[default]
    Record,
    /// One message for each value.
    Reading,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            topic: Sp::implied("{{ device.id }}/{{ sensor.id }}".to_owned()),
            payload: Sp::default(),
            qos: Sp::default(),
            interval: Sp::implied(INTERVAL),
            queue: Queue::default(),
            reconnect: Sp::default(),
            drain_rate: Sp::default(),
            keepalive: Sp::implied(KEEPALIVE),
            connect_timeout: Sp::implied(CONNECT_TIMEOUT),
            ack_timeout: Sp::implied(ACK_TIMEOUT),
        }
    }
}

/// How much is kept while the cloud cannot be reached.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Queue {
    /// The most that all waiting messages may take up.
    pub max_bytes: Sp<ByteSize>,
    /// How long a message may wait.
    pub max_age: Sp<HumanDuration>,
    /// Which message goes when there is no room.
    pub when_full: Sp<WhenFull>,
    /// How long a reading may be in memory alone before it is on the card: longer spares the card.
    pub sync: Sp<HumanDuration>,
}

/// Which message goes when there is no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WhenFull {
    /// The one that waits longest.
    #[default]
    DropOldest,
    /// The one that would be added.
    DropNewest,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            max_bytes: Sp::implied(MAX_BYTES),
            max_age: Sp::implied(HumanDuration::from_secs(30 * 86_400)),
            when_full: Sp::default(),
            sync: Sp::implied(HumanDuration::from_secs(5)),
        }
    }
}
