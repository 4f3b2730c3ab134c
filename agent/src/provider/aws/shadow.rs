//! The device shadow (AWS IoT Core developer guide, "Device Shadow service").
//!
//! ```text
//! get ─────────────► get/accepted     do what is desired, update
//!                    get/rejected     404: there is none yet, update makes it
//! update (reported) ► update/accepted  the version that the device knows
//!                    update/rejected  409: somebody was faster, get again
//!                    update/delta     do it, update
//! ```
//!
//! Versions grow with each change: a delta that is not newer than what the device knows is old news. An update
//! names the version that it is about, so that no wish is reported as done that came in between.

use imgbuild_schema::card::Shadow;
use imgbuild_schema::values::QoS;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tracing::{debug, info, warn};

use crate::control::Controls;
use crate::mqtt::{Filter, Message};
use crate::provider::Dialogue;

/// What the service says ("Device Shadow service documents").
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Said {
    state: Value,
    version: u64,
    client_token: Option<String>,
    code: u16,
    message: String,
}

/// A shadow as the device knows it.
#[derive(Debug)]
pub(super) struct ShadowDialogue {
    /// How its topics begin.
    prefix: String,
    /// What is listened to.
    heard: Vec<String>,
    /// What tells this program's requests from those of one before it, whose answers may still be kept.
    session: u64,
    /// The number of the last request.
    requests: u64,
    /// The last request, until it is answered.
    asked: Option<String>,
    /// The newest version that is known.
    version: u64,
}

impl ShadowDialogue {
    pub(super) fn new(thing: &str, shadow: &Shadow, session: u64) -> Self {
        let (prefix, heard) = (shadow.prefix(thing), shadow.heard(thing));
        Self { prefix, heard, session, requests: 0, asked: None, version: 0 }
    }

    /// A request that can be told from those of others, and of which the answer is waited for.
    fn ask(&mut self, action: &str, mut body: Value) -> Vec<Message> {
        self.requests += 1;
        let token = format!("imgbuild-{:x}-{}", self.session, self.requests);
        body["clientToken"] = token.as_str().into();
        self.asked = Some(token);
        let topic = format!("{}{action}", self.prefix);
        vec![Message::new(topic, body.to_string(), QoS::AtLeastOnce)]
    }

    fn get(&mut self) -> Vec<Message> {
        self.ask("get", json!({}))
    }

    fn report(&mut self, controls: &Controls) -> Vec<Message> {
        let mut body = json!({ "state": { "reported": controls.report() } });
        if self.version > 0 {
            body["version"] = self.version.into();
        }
        self.ask("update", body)
    }

    /// Whether this is the answer to what was asked last.
    fn is_answer(&mut self, said: &Said) -> bool {
        let is_answer = self.asked.is_some() && said.client_token == self.asked;
        if is_answer {
            self.asked = None;
        }
        is_answer
    }

    fn got(&mut self, said: &Said, controls: &mut Controls) -> Vec<Message> {
        self.version = said.version;
        if let Some(Value::Object(desired)) = said.state.get("desired") {
            controls.desire(desired, None);
        }
        self.report(controls)
    }

    fn changed(&mut self, said: &Said, controls: &mut Controls) -> Vec<Message> {
        // what the device itself has just reported leaves it
        if said.client_token.is_some() && said.client_token == self.asked {
            self.version = self.version.max(said.version);
            return Vec::new();
        }
        if said.version <= self.version {
            debug!(version = said.version, known = self.version, "an old delta");
            return Vec::new();
        }
        self.version = said.version;
        controls.desire(said.state.as_object().unwrap_or(&Map::new()), None);
        self.report(controls)
    }

    /// Codes as those of HTTP ("Device Shadow error messages").
    fn rejected(&mut self, said: &Said, action: &str, controls: &Controls) -> Vec<Message> {
        match (action, said.code) {
            ("get", 404) => {
                self.version = 0;
                self.report(controls)
            }
            ("update", 409) => self.get(),
            // too many requests, or its own fault: no answer yet, so that it is asked again
            (_, 429 | 500..) => {
                self.asked = Some(String::new());
                Vec::new()
            }
            (_, code) => {
                warn!(code, reason = %said.message, "the shadow service rejects a request ({action})");
                Vec::new()
            }
        }
    }
}

impl Dialogue for ShadowDialogue {
    fn filters(&self) -> Vec<Filter> {
        let heard = self.heard.iter().cloned();
        heard.map(|topics| Filter { topics, qos: QoS::AtLeastOnce }).collect()
    }

    fn begin(&mut self, _: &Controls) -> Vec<Message> {
        self.get()
    }

    fn answer(&mut self, topic: &str, payload: &[u8], controls: &mut Controls) -> Vec<Message> {
        let Some(action) = topic.strip_prefix(&self.prefix) else { return Vec::new() };
        let Ok(said) = serde_json::from_slice::<Said>(payload) else {
            warn!(topic, "the shadow service says what is no JSON");
            return Vec::new();
        };
        match action {
            "update/delta" => self.changed(&said, controls),
            "delete/accepted" => {
                info!("the shadow was deleted");
                self.version = 0;
                Vec::new()
            }
            // another's request, or one that has been asked again since
            _ if !self.is_answer(&said) => Vec::new(),
            "get/accepted" => self.got(&said, controls),
            "update/accepted" => {
                self.version = self.version.max(said.version);
                Vec::new()
            }
            "get/rejected" => self.rejected(&said, "get", controls),
            "update/rejected" => self.rejected(&said, "update", controls),
            _ => Vec::new(),
        }
    }

    fn is_waiting(&self) -> bool {
        self.asked.is_some()
    }
}

#[cfg(test)]
mod tests;
