use std::str::FromStr;

use super::{InvalidValue, refuse, serde_as_text, text_newtype};

/// A topic that messages are published to (MQTT 3.1.1, section 4.7).
///
/// Beyond what the protocol forbids (wildcards, NUL, more than 65,535 bytes), spaces and a leading
/// slash are refused: both work, and both are nearly always a slip that subscribers then miss. Of those that begin
/// with `$` there are AWS IoT's for Basic Ingest, `$aws/rules/RULE/…`, whose messages go to a rule and to nobody else.
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
        if text.starts_with('$') && ingested(text).is_none() {
            refuse!("topics that begin with `$` belong to the broker");
        }
        Ok(Self(text.to_owned()))
    }
}

/// What follows the name of the rule in a topic for Basic Ingest.
fn ingested(text: &str) -> Option<&str> {
    let (rule, rest) = text.strip_prefix("$aws/rules/")?.split_once('/')?;
    (!rule.is_empty() && !rest.is_empty()).then_some(rest)
}

impl Topic {
    /// What follows the name of the rule, if this is a topic for AWS IoT's Basic Ingest.
    pub fn ingested(&self) -> Option<&str> {
        ingested(&self.0)
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
        assert!("$aws/rules/store/line22/temperature".parse::<Topic>().is_ok());
        for text in [
            "",
            "$aws/rules/store",
            "$aws/rules/store/",
            "$aws/rules//a",
            "$aws/things/a",
            "a/+/b",
            "a/#",
            "a b",
            "/a",
            "$SYS/a",
            "a\u{0}b",
        ] {
            assert!(text.parse::<Topic>().is_err(), "{text:?}");
        }
    }
}
