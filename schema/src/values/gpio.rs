use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A pin of the header by the number that the chip gives it: GPIO 0 to 27.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gpio(u8);

impl Gpio {
    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Gpio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GPIO {}", self.0)
    }
}

impl<'de> Deserialize<'de> for Gpio {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(deserializer)?;
        match u8::try_from(number) {
            Ok(number @ 0..=27) => Ok(Self(number)),
            _ => Err(serde::de::Error::custom(format!(
                "there is no GPIO {number} on the header: they run from 0 to 27, and are not its pins' numbers"
            ))),
        }
    }
}

impl Serialize for Gpio {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.0)
    }
}
