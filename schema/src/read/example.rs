//! Examples of what belongs at a place of a profile, as its schema gives them.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::Span;
use crate::schema::{self, alternatives, choices, followed};
use crate::yaml::node::{Entry, Key, Kind, Node};

/// The schema of the whole profile.
static SCHEMA: LazyLock<Value> = LazyLock::new(schema::profile);

/// An example of the value at the end of these keys; an empty one is any item of a list.
pub(super) fn of(keys: &[String]) -> Option<Value> {
    let mut schemas = vec![&*SCHEMA];
    for key in keys {
        schemas = schemas.into_iter().flat_map(|it| below(it, key)).collect();
    }
    schemas.into_iter().find_map(example)
}

/// The schemas of what a key may hold.
fn below<'a>(schema: &'a Value, key: &str) -> Vec<&'a Value> {
    let at = |schema: &'a Value| {
        if key.is_empty() { schema.get("items") } else { schema.get("properties")?.get(key) }
    };
    alternatives(&SCHEMA, schema).into_iter().filter_map(at).collect()
}

/// Something that the schema takes.
fn example(schema: &Value) -> Option<Value> {
    let schema = followed(&SCHEMA, schema);
    let first = |key: &str| schema.get(key)?.as_array()?.first().cloned();
    let own = schema.get("const").cloned().or_else(|| first("examples")).or_else(|| first("enum"));
    if let Some(own) = own.filter(|value| !value.is_null()) {
        return Some(own);
    }
    let alternatives = alternatives(&SCHEMA, schema);
    if alternatives.len() > 1 {
        return alternatives.into_iter().find_map(example);
    }
    match schema.get("type").map(kind)? {
        "object" => {
            // besides its own, the first of its choices may have some
            let required = |schema: &Value| schema.get("required")?.as_array().cloned();
            let all = [Some(schema), choices(schema).next()].into_iter().flatten();
            let all: Vec<Value> = all.filter_map(required).flatten().collect();
            let keys = all.iter().filter_map(Value::as_str);
            let value = |key: &str| example(schema.get("properties")?.get(key)?);
            let entries = keys.map(|key| Some((key.to_owned(), value(key)?)));
            entries.collect::<Option<Map<_, _>>>().map(Value::Object)
        }
        "array" => Some(Value::Array(schema.get("items").and_then(example).into_iter().collect())),
        "string" => Some(Value::from("example")),
        "integer" | "number" => Some(schema.get("minimum").cloned().unwrap_or(Value::from(1))),
        "boolean" => Some(Value::from(false)),
        _ => None,
    }
}

/// The first type that is not `null`.
fn kind(types: &Value) -> &str {
    let named = |value: &Value| value.as_str().is_some_and(|kind| kind != "null");
    let first = types.as_array().and_then(|types| types.iter().find(|it| named(it)));
    first.unwrap_or(types).as_str().unwrap_or_default()
}

/// A value as a node that stands at `span`.
pub(super) fn node(value: &Value, span: Span) -> Node {
    let kind = match value {
        Value::Array(items) => Kind::List(items.iter().map(|item| node(item, span)).collect()),
        Value::Object(entries) => Kind::Map(
            entries
                .iter()
                .map(|(key, value)| Entry {
                    key: Key { text: key.clone(), span },
                    value: node(value, span),
                })
                .collect(),
        ),
        Value::String(text) => return Node::scalar(span, text, false),
        Value::Null => return Node::scalar(span, "", true),
        other => return Node::scalar(span, other.to_string(), true),
    };
    Node { span, tag: None, origin: None, kind }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;
    use crate::yaml::decode;

    /// Every schema in the profile's has an example that the reader takes.
    #[test]
    fn every_example_is_taken() {
        let span = Span { file: crate::FileId::default(), start: 0, end: 0 };
        let whole = example(&SCHEMA).expect("an example of a whole profile");
        let tree = node(&whole, span);
        if let Err(failure) = decode::decode::<Profile>(&tree) {
            panic!("{failure}: {whole:#}");
        }
    }
}
