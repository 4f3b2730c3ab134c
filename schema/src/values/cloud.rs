//! Names that the clouds give.

use std::str::FromStr;

use super::{InvalidValue, refuse, serde_as_text, text_newtype};

/// A host by its name or its address, as in `broker.example.org`; without scheme and port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Host(String);

impl Host {
    /// Is it one of the names that the network itself gives, which no certificate of the public can bear?
    pub fn is_local(&self) -> bool {
        self.0.rsplit_once('.').is_none_or(|(_, last)| ["local", "lan", "home"].contains(&last))
    }
}

impl FromStr for Host {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if text.contains("://") {
            refuse!("a host's name has no `://`: write the name alone");
        }
        if text.parse::<std::net::IpAddr>().is_ok() {
            return Ok(Self(text.to_owned()));
        }
        if text.contains(':') {
            refuse!("a host's name has no port in it: there is a key for the port");
        }
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if text.len() > 253 || !text.split('.').all(label) {
            refuse!(
                "`{text}` is neither a host's name nor an address: write it like `broker.example.org`"
            );
        }
        Ok(Self(text.to_owned()))
    }
}

/// A thing of AWS IoT, which is also its MQTT client id: 1 to 128 of letters, digits, `:`, `_` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThingName(String);

impl FromStr for ThingName {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let plain = |c: char| c.is_ascii_alphanumeric() || ":_-".contains(c);
        if text.is_empty() || text.len() > 128 || !text.chars().all(plain) {
            refuse!("a thing's name is 1 to 128 letters, digits, `:`, `_` and `-`");
        }
        Ok(Self(text.to_owned()))
    }
}

/// A publisher of Event Hubs: 1 to 256 of letters, digits, `.`, `_` and `-`, a letter or digit at both ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublisherName(String);

impl FromStr for PublisherName {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let ends = |c: char| c.is_ascii_alphanumeric();
        if text.len() > 256
            || !text.starts_with(ends)
            || !text.ends_with(ends)
            || !text.chars().all(plain)
        {
            refuse!("a publisher's name is letters, digits, `.`, `_` and `-`, at most 256");
        }
        Ok(Self(text.to_owned()))
    }
}

/// An MQTT client id: 1 to 128 characters, none of them white space, a control character or a wildcard.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(String);

impl FromStr for ClientId {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if text.is_empty() {
            refuse!("a client id cannot be empty: leave the key out for the device's id");
        }
        if text.len() > 128 {
            refuse!("a client id has at most 128 bytes here, and this one has {}", text.len());
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control() || "+#".contains(c)) {
            refuse!("a client id has no spaces, no control characters and no wildcards");
        }
        Ok(Self(text.to_owned()))
    }
}

/// Where something can be downloaded: `https://…`, or `http://…`, since the hash is checked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Url(String);

impl FromStr for Url {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let host = rest.map(|rest| rest.split('/').next().unwrap_or_default());
        if host.is_none_or(str::is_empty)
            || text.chars().any(|c| c.is_whitespace() || c.is_control())
        {
            refuse!("`{text}` is not the address of a file: it begins with `https://`");
        }
        Ok(Self(text.to_owned()))
    }
}

/// A SHA-256 digest: 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256(String);

impl FromStr for Sha256 {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            refuse!("a SHA-256 is 64 hexadecimal digits, as `sha256sum` prints it");
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

/// A release of Raspberry Pi OS: Debian's name for it, such as `bookworm`, or its day, such as `2025-10-01`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Release(String);

impl FromStr for Release {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let is_name =
            (3..=20).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_lowercase());
        let is_day = text.len() == 10
            && text.bytes().enumerate().all(|(at, c)| match at {
                4 | 7 => c == b'-',
                _ => c.is_ascii_digit(),
            });
        if !is_name && !is_day {
            refuse!(
                "`{text}` is no release: that is Debian's name for it, such as `bookworm`, or its day, such as `2025-10-01`"
            );
        }
        Ok(Self(text.to_owned()))
    }
}

text_newtype!(Host, ThingName, PublisherName, ClientId, Release, Url, Sha256);
serde_as_text!(Host, ThingName, PublisherName, ClientId, Url, Sha256);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address() {
        for text in ["broker", "a1b2-ats.iot.eu-west-1.amazonaws.com", "10.0.0.1", "fe80::1"] {
            assert!(text.parse::<Host>().is_ok(), "{text}");
        }
        for text in ["", "mqtts://broker", "broker:8883", "a b", "a..b", "-a", "pi@broker", "a/b"] {
            assert!(text.parse::<Host>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_digest_is_complete() {
        assert_eq!("AB".repeat(32).parse::<Sha256>().unwrap().as_str(), "ab".repeat(32));
        for text in ["ab".repeat(31), "xy".repeat(32)] {
            assert!(text.parse::<Sha256>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_of_a_file_has_a_host() {
        assert!("https://example.org/a.img.xz".parse::<Url>().is_ok());
        for text in ["example.org/a", "ftp://example.org/a", "https:///a", "https://a b"] {
            assert!(text.parse::<Url>().is_err(), "{text}");
        }
    }
}
