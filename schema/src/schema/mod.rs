//! The profile's JSON Schema, for editors and for everybody who writes profiles by program, and what can be
//! read out of it: every key with its documentation.

mod keys;
mod page;

use schemars::generate::SchemaSettings;
use serde_json::Value;

pub use keys::{Key, keys};
pub use page::page;

use crate::Profile;

/// The schema of a profile: JSON Schema, draft 2020-12.
pub fn profile() -> Value {
    let mut schema =
        SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Profile>();
    if let Some(root) = schema.as_object_mut() {
        // keys for sharing, by way of anchors
        root.insert("patternProperties".into(), serde_json::json!({ "^x-": true }));
    }
    schema.to_value()
}

/// The schema that a reference in the schema `root` leads to.
pub(crate) fn followed<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let reference = schema.get("$ref").and_then(Value::as_str);
    reference.and_then(|reference| root.pointer(reference.strip_prefix('#')?)).unwrap_or(schema)
}

/// The alternatives that a schema leaves; itself if it leaves none.
pub(crate) fn alternatives<'a>(root: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    let schema = followed(root, schema);
    let choices = ["anyOf", "oneOf"].into_iter().filter_map(|key| schema.get(key)?.as_array());
    let choices: Vec<&Value> = choices.flatten().flat_map(|it| alternatives(root, it)).collect();
    if choices.is_empty() { vec![schema] } else { choices }
}
