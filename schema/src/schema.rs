//! The profile's JSON Schema, for editors and for everybody who writes profiles by program.

use schemars::generate::SchemaSettings;
use serde_json::Value;

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
