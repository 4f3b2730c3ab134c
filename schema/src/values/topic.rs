use std::str::FromStr;

use super::{InvalidValue, refuse, serde_as_text, text_newtype};

/// A topic that messages are published to (MQTT 3.1.1, section 4.7).
///
/// Beyond what the protocol forbids (wildcards, NUL, more than 65,535 bytes), spaces and a leading
/// slash are refused: both work, and both are nearly always a slip that subscribers then miss.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic(String);

impl FromStr for Topic {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if text.is_empty() || text.len() > 65_535 {
            refuse!("a topic has 1 to 65535 bytes, and this one has {}", text.len());
        }
        if let Some(wildcard) = text.chars().find(|c| matches!(c, '+' | '#')) {
            refuse!("`{wildcard}` is for subscribers; a topic to publish to has no wildcard");
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            refuse!("a topic has no spaces and no control characters");
        }
        if text.starts_with('/') {
            refuse!("a leading slash makes an empty first level; leave it out");
        }
        if text.starts_with('$') {
            refuse!("topics that begin with `$` belong to the broker");
        }
        Ok(Self(text.to_owned()))
    }
}

text_newtype!(Topic);
serde_as_text!(Topic);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_to_publish_to_is_plain() {
        assert!("factoryA/line22/drying/temperature".parse::<Topic>().is_ok());
        for text in ["", "a/+/b", "a/#", "a b", "/a", "$SYS/a", "a\u{0}b"] {
            assert!(text.parse::<Topic>().is_err(), "{text:?}");
        }
    }
}
