use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use super::{InvalidValue, Secret, refuse, serde_as_text, text_newtype};

/// A WiFi network's name: 1 to 32 octets, whatever they are (IEEE 802.11, section 9.4.2.2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ssid(String);

impl Ssid {
    /// The octets in hexadecimal, which is how any name can be written without escaping.
    pub fn hex(&self) -> String {
        self.0.bytes().map(|octet| format!("{octet:02x}")).collect()
    }
}

impl FromStr for Ssid {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        match text.len() {
            0 => refuse!("a network's name cannot be empty"),
            1..=32 => Ok(Self(text.to_owned())),
            octets => refuse!("a network's name has at most 32 bytes, and `{text}` has {octets}"),
        }
    }
}

text_newtype!(Ssid);
serde_as_text!(Ssid);

/// What opens a WPA network: a passphrase of 8 to 63 printable ASCII characters, or the 256-bit key
/// itself as 64 hexadecimal digits (IEEE 802.11, annex J.4.1).
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(Secret);

impl Passphrase {
    /// Is this the key itself rather than a passphrase that it is derived from?
    pub fn is_key(&self) -> bool {
        self.0.expose().len() == 64
    }

    /// The text itself. Whoever calls this answers for where it goes.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl TryFrom<Secret> for Passphrase {
    type Error = InvalidValue;

    /// A refusal tells lengths and positions, never the text.
    fn try_from(secret: Secret) -> Result<Self, InvalidValue> {
        let text = secret.expose();
        if text.len() == 64 {
            if !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                refuse!("64 characters are a key in hexadecimal digits, and this has others");
            }
        } else if let Some(position) = text.bytes().position(|c| !(0x20..=0x7e).contains(&c)) {
            refuse!("a passphrase is printable ASCII, and the byte at position {position} is not");
        } else if !(8..=63).contains(&text.len()) {
            refuse!("a passphrase has 8 to 63 characters, and this one has {}", text.len());
        }
        Ok(Self(secret))
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Passphrase {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Secret::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_name_is_counted_in_bytes() {
        assert_eq!(
            "Bär \"1\"".parse::<Ssid>().unwrap().hex(),
            "42c3a4722022312 2".replace(' ', "")
        );
        assert!("ü".repeat(16).parse::<Ssid>().is_ok());
        assert!("ü".repeat(17).parse::<Ssid>().is_err());
    }

    #[test]
    fn a_passphrase_is_refused_without_being_shown() {
        let try_from = |text: &str| Passphrase::try_from(Secret::new(text.to_owned()));
        assert!(try_from("correct horse").is_ok());
        assert!(try_from(&"0f".repeat(32)).is_ok_and(|key| key.is_key()));
        for text in ["short", "pässword", "tab\tinside", &"x".repeat(64), &"x".repeat(65)] {
            let refusal = try_from(text).unwrap_err().to_string();
            assert!(!refusal.contains(text), "{refusal}");
        }
        assert_eq!(format!("{:?}", try_from("correct horse").unwrap()), "‹secret›");
    }
}
