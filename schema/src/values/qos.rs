use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How surely a message is delivered (MQTT 3.1.1, section 4.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QoS {
    /// At most once: sent and forgotten.
    AtMostOnce,
    /// At least once: kept until the broker has acknowledged it.
    #[default]
    AtLeastOnce,
    /// Exactly once, as long as a connection holds.
    ExactlyOnce,
}

impl<'de> Deserialize<'de> for QoS {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u64::deserialize(deserializer)? {
            0 => Ok(Self::AtMostOnce),
            1 => Ok(Self::AtLeastOnce),
            2 => Ok(Self::ExactlyOnce),
            other => {
                Err(serde::de::Error::custom(format!("there is no QoS {other}; write 0, 1 or 2")))
            }
        }
    }
}

impl Serialize for QoS {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(match self {
            Self::AtMostOnce => 0,
            Self::AtLeastOnce => 1,
            Self::ExactlyOnce => 2,
        })
    }
}
