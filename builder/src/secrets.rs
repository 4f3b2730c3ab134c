//! `secrets.yaml`: names and what must not be seen.

use std::collections::BTreeMap;

use imgbuild_schema::values::Secret;
use imgbuild_schema::{Sp, yaml};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

/// The names and texts of a file of secrets.
pub(crate) struct Secrets;

impl Secrets {
    /// Reads a map of texts, nested as deep as one likes: `wifi: {home: …}` is `wifi.home`. The error is
    /// where it is wrong, and nothing else of the text.
    pub(crate) fn parse(text: &str) -> Result<BTreeMap<String, Secret>, String> {
        let mut found = BTreeMap::new();
        if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            return Ok(found);
        }
        let root: Sp<Node> = yaml::parse(text).map_err(|problem| {
            problem.span.map_or_else(String::new, |span| {
                format!(" (line {})", text[..span.start.min(text.len())].matches('\n').count() + 1)
            })
        })?;
        match &*root {
            Node::Map(map) => collect("", map, text, &mut found),
            Node::Text(_) | Node::Number => return Err(String::new()),
        }
        Ok(found)
    }
}

fn collect(
    prefix: &str,
    map: &BTreeMap<String, Sp<Node>>,
    text: &str,
    found: &mut BTreeMap<String, Secret>,
) {
    for (name, node) in map {
        let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match &**node {
            Node::Map(map) => collect(&name, map, text, found),
            Node::Text(secret) => {
                found.insert(name, secret.clone());
            }
            // as it was written: `0123` is four digits
            Node::Number => {
                if let Some(span) = node.span() {
                    found.insert(name, Secret::new(text[span.start..span.end].to_owned()));
                }
            }
        }
    }
}

/// A value or a map of them.
enum Node {
    Map(BTreeMap<String, Sp<Node>>),
    Text(Secret),
    /// What YAML takes for a number or a truth value.
    Number,
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

/// Takes what is no text for what it was written as.
macro_rules! numbers {
    ($($visit:ident: $scalar:ty),+) => { $(
        fn $visit<E: serde::de::Error>(self, _: $scalar) -> Result<Node, E> {
            Ok(Node::Number)
        }
    )+ };
}

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a text or a map of texts")
    }

    numbers!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_i128: i128, visit_u128: u128, visit_f64: f64);

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(Secret::new(text.to_owned())))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut found = BTreeMap::new();
        while let Some((name, node)) = map.next_entry()? {
            found.insert(name, node);
        }
        Ok(Node::Map(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Vec<(String, String)> {
        let secrets = Secrets::parse(text).unwrap();
        secrets.into_iter().map(|(name, secret)| (name, secret.expose().to_owned())).collect()
    }

    #[test]
    fn names_may_be_nested_and_texts_stay_what_was_written() {
        let text = "# mine\nwifi:\n  home: 0123456789\n  \"lab\": 'it''s'\npi.password: yes\nlong: |\n  two\n  lines\n";
        let expected = [
            ("long", "two\nlines\n"),
            ("pi.password", "yes"),
            ("wifi.home", "0123456789"),
            ("wifi.lab", "it's"),
        ];
        assert_eq!(parse(text), expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
        assert_eq!(parse("# none yet\n"), []);
    }

    #[test]
    fn what_is_wrong_is_told_without_what_is_there() {
        assert_eq!(Secrets::parse("hunter22"), Err(String::new()));
        assert_eq!(Secrets::parse("a: b\nwifi: [hunter22]\n"), Err(" (line 2)".into()));
    }
}
