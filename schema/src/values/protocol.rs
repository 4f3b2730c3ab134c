use std::str::FromStr;

use super::{InvalidValue, refuse, serde_as_text, text_newtype};

/// The name of a protocol, as a client asks for it in a TLS handshake (ALPN, RFC 7301).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Protocol(String);

impl FromStr for Protocol {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if text.is_empty() || text.len() > 255 {
            refuse!("a protocol's name has 1 to 255 bytes, and this one has {}", text.len());
        }
        Ok(Self(text.to_owned()))
    }
}

text_newtype!(Protocol);
serde_as_text!(Protocol);
