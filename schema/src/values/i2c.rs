use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{InvalidValue, digits, refuse, serde_as_text};

/// An I²C bus: `i2c-1` is the one on the header's pins 3 and 5, whatever number the kernel gives it; any other
/// is the kernel's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct I2cBus(u8);

impl I2cBus {
    /// The bus on pins 3 and 5 of the header.
    pub const HEADER: Self = Self(1);
}

impl FromStr for I2cBus {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        match text.strip_prefix("i2c-").and_then(digits) {
            Some(number) => Ok(Self(number)),
            None => refuse!("`{text}` is not an I²C bus; the one on the header is `i2c-1`"),
        }
    }
}

impl fmt::Display for I2cBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "i2c-{}", self.0)
    }
}

serde_as_text!(I2cBus);

/// A 7-bit I²C address that a device may have: `0x08` to `0x77` (the rest is reserved by the bus).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct I2cAddress(u8);

impl I2cAddress {
    /// An address known at compile time.
    pub(crate) const fn new(address: u8) -> Self {
        assert!(0x08 <= address && address <= 0x77, "outside the bus's addresses");
        Self(address)
    }

    /// The address as the bus counts it.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl fmt::Display for I2cAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#04x}", self.0)
    }
}

impl<'de> Deserialize<'de> for I2cAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let address = u64::deserialize(deserializer)?;
        match u8::try_from(address) {
            Ok(address @ 0x08..=0x77) => Ok(Self(address)),
            _ => Err(serde::de::Error::custom(format!(
                "{address:#04x} is not an I²C address; they run from 0x08 to 0x77"
            ))),
        }
    }
}

impl Serialize for I2cAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.0)
    }
}
