//! Commands: what is asked for once, and answered. They mean the same whatever cloud they come by.
//!
//! | name | argument | answer |
//! |---|---|---|
//! | `ping` | | `{"pong":true}` |
//! | `reboot` | | `{"reboot":"in 2 s"}` |
//! | `read-sensor` | `{"sensor":"air"}` | what it was last read to be |
//! | `set-config` | a document, as in [`super`] | the settings as they are now |
//! | `set-output` | `{"output":"lamp","set":"on"}` | none: this agent drives no outputs yet |
//!
//! Where messages have no name, it is a key of theirs: `{"command":"ping"}`, or follows from the others:
//! `{"output":"lamp","set":"on"}`. A bare `on` or `off` is for the device's only output.

use serde_json::{Map, Value, json};
use tracing::{info, warn};

use super::Controls;
use super::reboot::DELAY;

/// What became of a command.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// As of HTTP: 200, or why not.
    pub status: u16,
    /// What there is to say.
    pub body: Value,
}

impl Answer {
    fn done(body: Value) -> Self {
        Self { status: 200, body }
    }

    fn refused(status: u16, error: impl Into<String>) -> Self {
        Self { status, body: json!({ "error": error.into() }) }
    }

    /// The answer as one document.
    pub fn document(&self) -> Value {
        json!({ "status": self.status, "answer": self.body })
    }
}

impl Controls {
    /// Does what a message asks for that has no name beside it, and keeps the answer for the next report.
    pub fn message(&mut self, payload: &[u8]) -> Answer {
        let text = String::from_utf8_lossy(payload);
        let answer = match text.trim() {
            word @ ("on" | "off") => self.command("set-output", &json!({ "set": word })),
            text => match serde_json::from_str::<Map<String, Value>>(text) {
                Ok(said) => self.command(name_of(&said), &Value::Object(said.clone())),
                Err(_) => Answer::refused(400, "write a JSON object, or `on` or `off`"),
            },
        };
        self.last_command = Some(answer.document());
        answer
    }

    /// Does what a command asks for.
    pub fn command(&mut self, name: &str, argument: &Value) -> Answer {
        let answer = match name {
            "ping" => Answer::done(json!({ "pong": true })),
            "reboot" => self.ask_for_reboot(),
            "read-sensor" => self.read_sensor(argument),
            "set-config" => self.set_config(argument),
            "set-output" => Self::set_output(argument),
            _ => Answer::refused(404, "this device has no such command"),
        };
        match answer.status {
            200 => info!(command = %name.escape_debug(), "done, as the cloud asked"),
            status => {
                warn!(command = %name.escape_debug(), status, answer = %answer.body, "cannot be done");
            }
        }
        answer
    }

    fn ask_for_reboot(&mut self) -> Answer {
        self.reboot.ask();
        Answer::done(json!({ "reboot": format!("in {} s", DELAY.as_secs()) }))
    }

    fn read_sensor(&self, argument: &Value) -> Answer {
        let Some(wanted) = argument.get("sensor").and_then(Value::as_str) else {
            return Answer::refused(400, "say which: {\"sensor\": …}");
        };
        match self.sensors.iter().find(|sensor| sensor.id == wanted) {
            None => Answer::refused(404, "this device has no such sensor"),
            Some(sensor) => match &sensor.latest {
                Some(latest) => Answer::done(serde_json::from_str(latest).unwrap_or_default()),
                None => Answer::refused(409, "it has not been read yet"),
            },
        }
    }

    fn set_config(&mut self, argument: &Value) -> Answer {
        let Some(desired) = argument.as_object() else {
            return Answer::refused(400, "write a JSON object");
        };
        let mut desired = desired.clone();
        desired.remove("command");
        let refused = self.change(&desired, |_| {});
        let mut body = self.settings();
        if refused.is_empty() {
            return Answer::done(body);
        }
        body["error"] = refused.join("; ").into();
        Answer { status: 400, body }
    }

    fn set_output(argument: &Value) -> Answer {
        let name = argument.get("output").and_then(Value::as_str).unwrap_or_default();
        let name: String = name.chars().take(64).collect();
        Answer::refused(404, format!("this device has no output `{name}`"))
    }
}

/// The name of a command that is only a message.
fn name_of(said: &Map<String, Value>) -> &str {
    match said.get("command") {
        Some(name) => name.as_str().unwrap_or_default(),
        None if said.contains_key("output") => "set-output",
        None if said.contains_key("sensors") => "set-config",
        None => "",
    }
}
