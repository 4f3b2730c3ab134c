//! The values a profile is made of, each of a type that refuses what it cannot mean.
//!
//! A value is parsed once, where it was written, and is its own proof from there on: whoever holds a
//! [`Hostname`] need not ask again whether a host may be called so.

mod algorithm;
mod cloud;
mod country;
mod duration;
mod gpio;
mod i2c;
mod name;
mod network;
mod percent;
mod protocol;
mod qos;
mod rate;
#[cfg(feature = "profile")]
mod schema;
mod secret;
mod size;
mod topic;
mod wifi;

pub use algorithm::Algorithm;
pub use cloud::{ClientId, Host, PublisherName, Release, Sha256, ThingName, Url};
pub use country::Country;
pub use duration::HumanDuration;
pub use gpio::Gpio;
pub use i2c::{I2cAddress, I2cBus};
pub use name::{DeviceId, Hostname, Keyboard, Locale, SensorId, Timezone, UserName};
pub use network::{Address, Endpoint, InterfaceAddress};
pub use percent::Percent;
pub use protocol::Protocol;
pub use qos::QoS;
pub use rate::Rate;
pub use secret::Secret;
pub use size::ByteSize;
pub use topic::Topic;
pub use wifi::{Passphrase, Ssid};

/// Why a text is not a value of the type that was asked for. Reads on after "invalid …: ".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidValue(pub(crate) String);

/// A number of digits alone: the standard library would take a sign before them.
pub(crate) fn digits<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok().filter(|_| text.bytes().all(|c| c.is_ascii_digit()))
}

/// Refuses a value with a formatted reason.
macro_rules! refuse {
    ($($reason:tt)*) => { return Err($crate::values::InvalidValue(format!($($reason)*))) };
}
pub(crate) use refuse;

/// Lets serde read and write a value as the text that its `FromStr` and `Display` agree on.
macro_rules! serde_as_text {
    ($($value:ty),+ $(,)?) => { $(
        impl TryFrom<String> for $value {
            type Error = $crate::values::InvalidValue;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl<'de> serde::Deserialize<'de> for $value {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl serde::Serialize for $value {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )+ };
}
pub(crate) use serde_as_text;

/// Gives a newtype round a `String` its reading access.
macro_rules! text_newtype {
    ($($value:ident),+ $(,)?) => { $(
        impl $value {
            /// The value as it was written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $value {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+ };
}
pub(crate) use text_newtype;
