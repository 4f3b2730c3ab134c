//! The device shadow service (AWS IoT Core developer guide, "Device Shadow service documents" and "Device Shadow
//! error messages").

use std::collections::HashMap;
use std::sync::Mutex;

use serde_json::{Map, Value, json};

use super::sessions::Delivery;

/// The longest document and the deepest.
const MOST_BYTES: usize = 8 * 1024;
const MOST_LEVELS: usize = 6;
const MOST_TOKEN: usize = 64;

/// A code as of HTTP, and a reason.
type Rejected = (u16, &'static str);

/// One shadow. It lives on, unseen, when it is deleted: versions go on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shadow {
    exists: bool,
    desired: Map<String, Value>,
    reported: Map<String, Value>,
    version: u64,
}

impl Shadow {
    /// `desired`, `reported` and, where they differ, `delta`; empty ones are left out.
    pub(crate) fn state(&self) -> Value {
        let mut state = Map::new();
        for (key, part) in [("desired", &self.desired), ("reported", &self.reported)] {
            if !part.is_empty() {
                state.insert(key.into(), part.clone().into());
            }
        }
        if let Some(delta) = self.delta() {
            state.insert("delta".into(), delta);
        }
        state.into()
    }

    pub(crate) fn delta(&self) -> Option<Value> {
        let delta = difference(&self.desired, &self.reported);
        (!delta.is_empty()).then(|| delta.into())
    }

    pub(crate) fn update(&mut self, body: &Value) -> Result<(), Rejected> {
        if body.to_string().len() > MOST_BYTES {
            return Err((413, "The payload exceeds the maximum size allowed"));
        }
        if levels(body) > MOST_LEVELS {
            return Err((400, "JSON contains too many levels of nesting; maximum is 6"));
        }
        let state = match body.get("state") {
            None => return Err((400, "Missing required node: state")),
            Some(Value::Null) => &Map::new(),
            Some(Value::Object(state)) => state,
            Some(_) => return Err((400, "State node must be an object")),
        };
        for (key, part) in state {
            match (key.as_str(), part) {
                ("desired" | "reported", Value::Object(_) | Value::Null) => {}
                ("desired", _) => return Err((400, "Desired node must be an object")),
                ("reported", _) => return Err((400, "Reported node must be an object")),
                _ => return Err((400, "State contains an invalid node")),
            }
        }
        match body.get("version") {
            None | Some(Value::Null) => {}
            Some(version) => match version.as_u64() {
                None => return Err((400, "Invalid version")),
                Some(version) if version != self.version => {
                    return Err((409, "Version conflict"));
                }
                Some(_) => {}
            },
        }
        for (key, part) in [("desired", &mut self.desired), ("reported", &mut self.reported)] {
            match state.get(key) {
                Some(Value::Object(new)) => merge(part, new),
                Some(Value::Null) => part.clear(),
                _ => {}
            }
        }
        self.exists = true;
        self.version += 1;
        Ok(())
    }
}

/// `null` deletes; what is no object is replaced whole.
pub(crate) fn merge(into: &mut Map<String, Value>, new: &Map<String, Value>) {
    for (key, value) in new {
        match (into.get_mut(key), value) {
            (_, Value::Null) => {
                into.remove(key);
            }
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            (_, Value::Object(new)) => {
                let mut fresh = Map::new();
                merge(&mut fresh, new);
                into.insert(key.clone(), fresh.into());
            }
            (_, value) => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}

/// What is desired and not reported so.
fn difference(desired: &Map<String, Value>, reported: &Map<String, Value>) -> Map<String, Value> {
    let mut delta = Map::new();
    for (key, wanted) in desired {
        match (wanted, reported.get(key)) {
            (wanted, Some(is)) if wanted == is => {}
            (Value::Object(wanted), Some(Value::Object(is))) => {
                let inner = difference(wanted, is);
                if !inner.is_empty() {
                    delta.insert(key.clone(), inner.into());
                }
            }
            (wanted, _) => {
                delta.insert(key.clone(), wanted.clone());
            }
        }
    }
    delta
}

fn levels(value: &Value) -> usize {
    match value {
        Value::Object(map) => 1 + map.values().map(levels).max().unwrap_or(0),
        Value::Array(list) => 1 + list.iter().map(levels).max().unwrap_or(0),
        _ => 0,
    }
}

/// Every shadow of an account, by the beginning of its topics.
#[derive(Debug, Default)]
pub(crate) struct Shadows(Mutex<HashMap<String, Shadow>>);

impl Shadows {
    /// `$aws/things/THING/shadow` or `…/shadow/name/NAME`, and what is asked of it; none: this is not asked of shadows.
    pub(crate) fn split(topic: &str) -> Option<(&str, &str)> {
        let (prefix, action) = topic.rsplit_once('/')?;
        let known = ["get", "update", "delete"].contains(&action);
        let own = prefix.strip_prefix("$aws/things/")?;
        let (thing, rest) = own.split_once('/')?;
        let named = rest.strip_prefix("shadow/name/").is_some_and(|name| !name.contains('/'));
        (known && !thing.is_empty() && (rest == "shadow" || named)).then_some((prefix, action))
    }

    /// The shadow whose topics begin so.
    pub(crate) fn shadow(&self, prefix: &str) -> Shadow {
        self.0.lock().unwrap().get(prefix).cloned().unwrap_or_default()
    }

    /// What the service says to a request.
    pub(crate) fn ask(&self, prefix: &str, action: &str, payload: &[u8]) -> Vec<Delivery> {
        let request = match serde_json::from_slice(payload) {
            Ok(request) => request,
            Err(_) if payload.is_empty() => json!({}),
            Err(_) => json!(null),
        };
        let token = request.get("clientToken").cloned();
        let mut shadows = self.0.lock().unwrap();
        let shadow = shadows.entry(prefix.to_owned()).or_default();
        let long = token.as_ref().and_then(Value::as_str).is_some_and(|it| it.len() > MOST_TOKEN);
        let answered = if !request.is_object() {
            Err((400, "Payload contains invalid json"))
        } else if long {
            Err((400, "The client token exceeds 64 bytes"))
        } else {
            served(shadow, action, &request)
        };
        let answers = answered.unwrap_or_else(|(code, message)| {
            vec![(format!("{action}/rejected"), json!({"code": code, "message": message}))]
        });
        let delivery = |(topic, mut body): (String, Value)| {
            body["timestamp"] = 1_581_417_910.into();
            if let Some(token) = &token {
                body["clientToken"] = token.clone();
            }
            Delivery::new(format!("{prefix}/{topic}"), body.to_string())
        };
        answers.into_iter().map(delivery).collect()
    }
}

fn served(
    shadow: &mut Shadow,
    action: &str,
    request: &Value,
) -> Result<Vec<(String, Value)>, Rejected> {
    let document = |shadow: &Shadow| {
        let mut state = shadow.state();
        state.as_object_mut().unwrap().remove("delta");
        json!({"state": state, "metadata": {}, "version": shadow.version})
    };
    if action != "update" && !shadow.exists {
        return Err((404, "No shadow exists with this name"));
    }
    match action {
        "get" => {
            let body = json!({"state": shadow.state(), "metadata": {}, "version": shadow.version});
            Ok(vec![("get/accepted".into(), body)])
        }
        "delete" => {
            let version = shadow.version;
            *shadow = Shadow { version, ..Shadow::default() };
            Ok(vec![("delete/accepted".into(), json!({"version": version}))])
        }
        _ => {
            let before = shadow.clone();
            shadow.update(request)?;
            let version = shadow.version;
            let accepted = json!({"state": request["state"], "metadata": {}, "version": version});
            let documents = json!({"previous": document(&before), "current": document(shadow)});
            // AWS promises no order; this is the one that is harder to get right
            let delta = shadow.delta().map(|delta| {
                let delta = json!({"state": delta, "metadata": {}, "version": version});
                ("update/delta".to_owned(), delta)
            });
            let answers =
                [("update/accepted".to_owned(), accepted), ("update/documents".into(), documents)];
            Ok(delta.into_iter().chain(answers).collect())
        }
    }
}
