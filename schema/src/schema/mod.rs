//! The profile's JSON Schema, for editors and for everybody who writes profiles by program, and what can be
//! read out of it: every key with its documentation.

mod keys;
mod page;

use schemars::Schema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

pub use keys::{Key, keys};
pub use page::page;

use crate::Profile;

/// The schema of a profile: JSON Schema, draft 2020-12.
pub fn profile() -> Value {
    let mut schema =
        SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Profile>();
    if let Some(root) = schema.as_object_mut() {
        // keys for sharing, by way of anchors
        root.insert("patternProperties".into(), json!({ "^x-": true }));
    }
    schema.to_value()
}

/// The schema that a reference in the schema `root` leads to.
pub(crate) fn followed<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let reference = schema.get("$ref").and_then(Value::as_str);
    reference.and_then(|reference| root.pointer(reference.strip_prefix('#')?)).unwrap_or(schema)
}

/// What a schema leaves to choose from.
pub(crate) fn choices(schema: &Value) -> impl Iterator<Item = &Value> {
    let lists = ["anyOf", "oneOf"].into_iter().filter_map(|key| schema.get(key)?.as_array());
    lists.flatten()
}

/// The alternatives that a schema leaves; itself if it leaves none, or says itself what keys there are.
pub(crate) fn alternatives<'a>(root: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    let schema = followed(root, schema);
    if schema.get("properties").is_some() {
        return vec![schema];
    }
    let choices: Vec<&Value> = choices(schema).flat_map(|it| alternatives(root, it)).collect();
    if choices.is_empty() { vec![schema] } else { choices }
}

/// Exactly one of `keys` is there, and holds something.
pub(crate) fn exactly_one(schema: &mut Schema, keys: &[&str]) {
    let something = json!({ "not": { "type": "null" } });
    let one = |key: &&str| json!({ "required": [key], "properties": { *key: something } });
    schema.insert("oneOf".into(), keys.iter().map(one).collect());
}

/// At least one of these lists is there, and holds something.
pub(crate) fn some_item(schema: &mut Schema, keys: &[&str]) {
    let some = |key: &&str| json!({ "required": [key], "properties": { *key: { "minItems": 1 } } });
    schema.insert("anyOf".into(), keys.iter().map(some).collect());
}
