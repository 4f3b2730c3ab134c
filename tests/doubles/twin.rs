//! The twin of a device, as its hub keeps it ("Understand and use device twins in IoT Hub").

use std::sync::Mutex;

use serde_json::{Map, Value, json};

use super::sessions::Delivery;
use super::shadow::merge;

/// Desired and reported properties, each with its version.
#[derive(Debug)]
pub(crate) struct Twin(Mutex<[(Map<String, Value>, u64); 2]>);

impl Default for Twin {
    fn default() -> Self {
        Self(Mutex::new([(Map::new(), 1), (Map::new(), 1)]))
    }
}

impl Twin {
    /// An operator changes what is desired: what the device is told.
    pub(crate) fn desire(&self, patch: &Value) -> Vec<Delivery> {
        let [(desired, version), _] = &mut *self.0.lock().unwrap();
        merge(desired, patch.as_object().unwrap());
        *version += 1;
        let mut said = patch.clone();
        said["$version"] = (*version).into();
        let topic = format!("$iothub/twin/PATCH/properties/desired/?$version={version}");
        vec![Delivery::new(topic, said.to_string())]
    }

    pub(crate) fn reported(&self) -> Value {
        self.0.lock().unwrap()[1].0.clone().into()
    }

    /// What the hub says to a request of the device; none: it is none. `id` is what the request is known by.
    pub(crate) fn ask(&self, topic: &str, payload: &[u8]) -> Option<Vec<Delivery>> {
        let [(desired, wanted), (reported, version)] = &mut *self.0.lock().unwrap();
        let request = topic.strip_prefix("$iothub/twin/")?;
        let (action, id) = request.split_once("/?$rid=")?;
        let answer = |rest: String, body: String| {
            Some(vec![Delivery::new(format!("$iothub/twin/res/{rest}"), body)])
        };
        match action {
            "GET" => {
                let part = |map: &Map<String, Value>, version: u64| {
                    let mut map = map.clone();
                    map.insert("$version".into(), version.into());
                    map
                };
                let twin = json!({
                    "desired": part(desired, *wanted),
                    "reported": part(reported, *version),
                });
                answer(format!("200/?$rid={id}"), twin.to_string())
            }
            "PATCH/properties/reported" => {
                let patch = serde_json::from_slice(payload).unwrap_or_default();
                let Value::Object(patch) = patch else {
                    return answer(format!("400/?$rid={id}"), String::new());
                };
                if !patch.keys().all(|key| is_key(key)) {
                    return answer(format!("400/?$rid={id}"), String::new());
                }
                merge(reported, &patch);
                *version += 1;
                answer(format!("204/?$rid={id}&$version={version}"), String::new())
            }
            _ => None,
        }
    }
}

/// No control characters, no `.`, `$`, `#` or space.
fn is_key(key: &str) -> bool {
    !key.chars().any(|c| c.is_control() || ".$# ".contains(c))
}
