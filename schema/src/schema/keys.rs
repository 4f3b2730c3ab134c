//! Every key of a profile, as the schema has it.

use std::fmt::Write as _;

use serde_json::Value;

use super::{alternatives, followed, profile};

/// A key of a profile, and what there is to say about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The way to it, as in `network.wifi.networks[].psk`.
    pub path: String,
    /// What it means.
    pub doc: String,
    /// What it holds: `text`, `whole number`, `map` and so on.
    pub kind: String,
    /// Must it be there, where the map that it belongs to is?
    pub required: bool,
    /// What holds if it is left out, if that can be written.
    pub default: Option<String>,
    /// An example of its value.
    pub example: Option<String>,
    /// The words to choose from, each with its meaning.
    pub choices: Vec<(String, String)>,
}

/// Every key, in the order of the language.
pub fn keys() -> Vec<Key> {
    let root = profile();
    let mut keys = Vec::new();
    below(&root, &root, "", &mut keys);
    keys
}

/// The keys of the maps that `schema` takes.
fn below(root: &Value, schema: &Value, prefix: &str, keys: &mut Vec<Key>) {
    for map in alternatives(root, schema) {
        if let Some(items) = map.get("items") {
            below(root, items, &format!("{prefix}[]"), keys);
        }
        let Some(properties) = map.get("properties").and_then(Value::as_object) else { continue };
        let required = map.get("required").and_then(Value::as_array);
        // in a choice among maps of one key each, none is required
        let one_of_many = properties.len() == 1 && alternatives(root, schema).len() > 1;
        for (name, value) in properties {
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            let listed = required.is_some_and(|keys| keys.iter().any(|key| key == name));
            let doc = documentation(root, value).or_else(|| text(map.get("description")));
            keys.push(Key {
                doc: doc.unwrap_or_default(),
                kind: kind(root, value),
                required: listed && !one_of_many,
                default: default(root, value),
                example: example(root, value),
                choices: choices(root, value),
                path: path.clone(),
            });
            below(root, value, &path, keys);
        }
    }
}

/// A doc comment as one paragraph.
fn text(description: Option<&Value>) -> Option<String> {
    let text = description?.as_str()?;
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// A key's own words, else those of the type that it holds.
fn documentation(root: &Value, schema: &Value) -> Option<String> {
    text(schema.get("description")).or_else(|| text(followed(root, schema).get("description")))
}

fn kind(root: &Value, schema: &Value) -> String {
    let mut kinds: Vec<String> = Vec::new();
    for schema in alternatives(root, schema) {
        let types = match schema.get("type") {
            Some(Value::Array(types)) => types.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(kind)) => vec![kind.as_str()],
            _ => Vec::new(),
        };
        for kind in types.into_iter().filter(|kind| *kind != "null") {
            let kind = match kind {
                "array" => format!(
                    "list of {}s",
                    schema
                        .get("items")
                        .map_or_else(|| "value".into(), |items| self::kind(root, items))
                ),
                kind => word(kind).to_owned(),
            };
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
    }
    kinds.join(" or ")
}

/// A type of JSON in the words of somebody who writes a profile.
fn word(kind: &str) -> &str {
    match kind {
        "string" => "text",
        "integer" => "whole number",
        "boolean" => "`true` or `false`",
        "object" => "map",
        other => other,
    }
}

fn default(root: &Value, schema: &Value) -> Option<String> {
    let found = schema.get("default").or_else(|| followed(root, schema).get("default"))?;
    match found {
        Value::Null | Value::Array(_) | Value::Object(_) => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn example(root: &Value, schema: &Value) -> Option<String> {
    let own = schema.get("examples").and_then(|examples| examples.get(0));
    let found = own.or_else(|| {
        alternatives(root, schema)
            .into_iter()
            .find_map(|it| it.get("examples").and_then(|examples| examples.get(0)))
    })?;
    Some(match found {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}

fn choices(root: &Value, schema: &Value) -> Vec<(String, String)> {
    let mut choices = Vec::new();
    for schema in alternatives(root, schema) {
        if let Some(word) = schema.get("const").and_then(Value::as_str) {
            choices.push((word.to_owned(), text(schema.get("description")).unwrap_or_default()));
        }
        // two hundred and forty-nine countries are looked up elsewhere
        let words = schema.get("enum").and_then(Value::as_array).filter(|words| words.len() < 20);
        for word in words.into_iter().flatten() {
            let word = word.as_str().map_or_else(|| word.to_string(), str::to_owned);
            choices.push((word, String::new()));
        }
    }
    choices
}

impl Key {
    /// The key in its place, with its example, as lines of YAML.
    pub fn snippet(&self) -> Option<String> {
        let value = self.example.clone().or_else(|| self.default.clone()).or_else(|| {
            let (word, _) = self.choices.first()?;
            Some(word.clone())
        })?;
        let mut lines = String::new();
        let mut indent = 0;
        let mut dash = false;
        let parts: Vec<&str> = self.path.split('.').collect();
        for (at, part) in parts.iter().enumerate() {
            let name = part.trim_end_matches("[]");
            let lead =
                if dash { format!("{}- ", " ".repeat(indent - 2)) } else { " ".repeat(indent) };
            let end =
                if at + 1 == parts.len() { format!(" {}", quoted(&value)) } else { String::new() };
            writeln!(lines, "{lead}{name}:{end}").expect("a string takes everything");
            dash = part.ends_with("[]");
            indent += if dash { 4 } else { 2 };
        }
        Some(lines)
    }
}

/// A text as YAML takes it for itself: what a template or a mark begins is quoted.
fn quoted(text: &str) -> String {
    let plain = !text.starts_with(['{', '[', '*', '&', '%', '@', '`', '\'', '"', '#'])
        && !text.contains(": ")
        && !text.contains(" #");
    if plain { text.to_owned() } else { format!("{text:?}") }
}
