//! How readings are kept and delivered: the settings that profile and card share.

use serde::{Deserialize, Serialize};

use crate::values::{ByteSize, HumanDuration, Percent};

/// How much is kept while the cloud cannot be reached. When full, the oldest message goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Queue {
    /// The most that all waiting messages may take up.
    pub max_bytes: ByteSize,
}

impl Default for Queue {
    fn default() -> Self {
        Self { max_bytes: MAX_BYTES }
    }
}

/// How long to wait before connecting again: `first`, then twice as long each time up to `max`, each
/// wait shortened by a random share up to `jitter`; back to `first` once a connection has held for `stable`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "profile", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Reconnect {
    /// The first wait.
    pub first: HumanDuration,
    /// The longest wait.
    pub max: HumanDuration,
    /// How long a connection must hold to count as good.
    pub stable: HumanDuration,
    /// The largest share by which a wait is shortened, so that a fleet does not return all at once.
    pub jitter: Percent,
}

impl Default for Reconnect {
    fn default() -> Self {
        Self {
            first: HumanDuration::from_secs(1),
            max: HumanDuration::from_secs(32),
            stable: HumanDuration::from_secs(20),
            jitter: Percent::new(50),
        }
    }
}

/// The most that all waiting messages may take up if nothing else is said.
pub const MAX_BYTES: ByteSize = ByteSize::from_mib(4);

/// How long a connection may be silent before it is asked whether it is still there.
pub const KEEPALIVE: HumanDuration = HumanDuration::from_secs(60);

/// How long one attempt to connect may take, TLS and all.
pub const CONNECT_TIMEOUT: HumanDuration = HumanDuration::from_secs(10);

/// How long the broker may take to acknowledge a message.
pub const ACK_TIMEOUT: HumanDuration = HumanDuration::from_secs(5);

/// How often a sensor is read if nothing else is said.
pub const INTERVAL: HumanDuration = HumanDuration::from_secs(10);

/// The shortest time between two readings of one sensor that the agent keeps up with.
pub const SHORTEST_INTERVAL: HumanDuration = HumanDuration::from_millis(100);
