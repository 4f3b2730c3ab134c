//! What a hub says to a device ("Communicate with an IoT hub using the MQTT protocol"; "Understand and use device
//! twins", "Understand and invoke direct methods", "Send cloud-to-device messages").
//!
//! ```text
//! GET ─────────────► res/200           do what is desired, PATCH
//! PATCH reported ──► res/204
//!                    PATCH desired     do it, PATCH reported
//!                    methods/POST      answered at once, by methods/res
//!                    devicebound       a message, kept while the device is away; what became of it is reported
//! ```
//!
//! A twin's desired properties are sent only to a device that is there, so they are got after every connect.

use imgbuild_schema::values::QoS;
use serde_json::{Map, Value};
use tracing::{debug, warn};

use crate::control::Controls;
use crate::mqtt::{Filter, Message};
use crate::provider::Dialogue;

const RESPONSES: &str = "$iothub/twin/res/";
const DESIRED: &str = "$iothub/twin/PATCH/properties/desired/?";
const METHODS: &str = "$iothub/methods/POST/";

/// What was asked of the twin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    Get,
    Patch,
}

/// A device's dialogue with its hub.
#[derive(Debug)]
pub(super) struct HubDialogue {
    /// How the topics of messages to this device begin.
    messages: String,
    /// The number of the last request.
    requests: u64,
    /// The last request, until it is answered.
    asked: Option<(u64, Request)>,
    /// The version of the desired properties that were done last.
    version: Option<u64>,
}

impl HubDialogue {
    pub(super) fn new(device: &str) -> Self {
        let messages = format!("devices/{device}/messages/devicebound/");
        Self { messages, requests: 0, asked: None, version: None }
    }

    fn ask(&mut self, request: Request, payload: String) -> Vec<Message> {
        self.requests += 1;
        self.asked = Some((self.requests, request));
        let action = match request {
            Request::Get => "GET",
            Request::Patch => "PATCH/properties/reported",
        };
        let topic = format!("$iothub/twin/{action}/?$rid={}", self.requests);
        vec![Message::new(topic, payload, QoS::AtMostOnce)]
    }

    fn report(&mut self, controls: &Controls) -> Vec<Message> {
        // a twin that is on its way is answered by a report, and must not be missed
        if self.is_getting() {
            return Vec::new();
        }
        self.ask(Request::Patch, controls.report().to_string())
    }

    fn is_getting(&self) -> bool {
        matches!(self.asked, Some((_, Request::Get)))
    }

    fn get(&mut self) -> Vec<Message> {
        self.ask(Request::Get, String::new())
    }

    /// The answer to a request, whose topic ends like this: `204/?$rid=4&$version=16`.
    fn answered(
        &mut self,
        response: &str,
        payload: &[u8],
        controls: &mut Controls,
    ) -> Vec<Message> {
        let Some((status, parameters)) = response.split_once("/?") else { return Vec::new() };
        let id = parameter(parameters, "$rid").and_then(|id| id.parse().ok());
        let Some((_, request)) = self.asked.filter(|(own, _)| Some(*own) == id) else {
            return Vec::new();
        };
        match (request, status) {
            (Request::Get, "200") => {
                self.asked = None;
                let twin: Value = serde_json::from_slice(payload).unwrap_or_default();
                let desired = twin.get("desired").and_then(Value::as_object);
                self.got(desired.cloned().unwrap_or_default(), controls);
                self.report(controls)
            }
            // too many requests, or its own fault: it is asked again after a while
            (_, "429" | "500" | "503" | "504") => Vec::new(),
            (request, status) => {
                self.asked = None;
                if !status.starts_with('2') {
                    let reason = String::from_utf8_lossy(payload);
                    warn!(status, %reason, "the hub rejects a request ({request:?} of the twin)");
                }
                Vec::new()
            }
        }
    }

    /// All desired properties. If they are those that were done before, what was set since by a method holds.
    fn got(&mut self, mut desired: Map<String, Value>, controls: &mut Controls) {
        self.version = desired.get("$version").and_then(Value::as_u64);
        strip(&mut desired);
        controls.desire_whole(&desired, self.mark());
    }

    /// By which the desired properties are known again.
    fn mark(&self) -> Option<String> {
        self.version.map(|version| format!("twin {version}"))
    }

    fn patched(
        &mut self,
        parameters: &str,
        payload: &[u8],
        controls: &mut Controls,
    ) -> Vec<Message> {
        let version = parameter(parameters, "$version").and_then(|it| it.parse::<u64>().ok());
        // the twin that is on its way may be of before or after this; and what came before it may have been missed
        let follows = version.is_none() || version == self.version.map(|known| known + 1);
        if self.is_getting() || (version > self.version && !follows) {
            return self.get();
        }
        if version.is_some() && version <= self.version {
            debug!(?version, known = ?self.version, "old desired properties");
            return Vec::new();
        }
        let Ok(Value::Object(mut patch)) = serde_json::from_slice(payload) else {
            warn!("the hub desires what is no JSON object");
            return Vec::new();
        };
        strip(&mut patch);
        self.version = version;
        controls.desire(&patch, self.mark());
        self.report(controls)
    }

    /// A direct method, whose topic ends like this: `ping/?$rid=1f`.
    fn called(&mut self, call: &str, payload: &[u8], controls: &mut Controls) -> Vec<Message> {
        let Some((name, parameters)) = call.split_once("/?") else { return Vec::new() };
        let Some(id) = parameter(parameters, "$rid") else { return Vec::new() };
        let argument = serde_json::from_slice(payload).unwrap_or_default();
        let answer = controls.command(name, &argument);
        let topic = format!("$iothub/methods/res/{}/?$rid={id}", answer.status);
        let mut said = vec![Message::new(topic, answer.body.to_string(), QoS::AtMostOnce)];
        if name == "set-config" {
            said.extend(self.report(controls));
        }
        said
    }
}

impl Dialogue for HubDialogue {
    fn filters(&self) -> Vec<Filter> {
        let filter = |topics: String, qos| Filter { topics, qos };
        vec![
            filter(format!("{}#", self.messages), QoS::AtLeastOnce),
            filter(format!("{METHODS}#"), QoS::AtMostOnce),
            filter(format!("{RESPONSES}#"), QoS::AtMostOnce),
            filter("$iothub/twin/PATCH/properties/desired/#".to_owned(), QoS::AtMostOnce),
        ]
    }

    fn begin(&mut self, _: &Controls) -> Vec<Message> {
        self.get()
    }

    fn answer(&mut self, topic: &str, payload: &[u8], controls: &mut Controls) -> Vec<Message> {
        if let Some(response) = topic.strip_prefix(RESPONSES) {
            self.answered(response, payload, controls)
        } else if let Some(parameters) = topic.strip_prefix(DESIRED) {
            self.patched(parameters, payload, controls)
        } else if let Some(call) = topic.strip_prefix(METHODS) {
            self.called(call, payload, controls)
        } else if topic.starts_with(&self.messages) {
            // the properties in the topic say nothing that is needed
            controls.message(payload);
            self.report(controls)
        } else {
            Vec::new()
        }
    }

    fn is_waiting(&self) -> bool {
        self.asked.is_some()
    }
}

/// Takes out what the hub writes into properties: `$version`, `$metadata`.
fn strip(properties: &mut Map<String, Value>) {
    properties.retain(|key, _| !key.starts_with('$'));
}

/// A parameter at the end of a topic; in whatever order they stand.
fn parameter<'a>(parameters: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = parameters.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find_map(|(key, value)| (key == name).then_some(value))
}

#[cfg(test)]
mod tests;
