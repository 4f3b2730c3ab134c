//! What a registry says to a device ("Configuring devices", "Getting device state", "Sending commands to devices").
//!
//! The configuration is sent whole, at every subscription and when it changes. The state is the device's answer to
//! it, and may be told once a second. Commands come only while the device is connected.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use imgbuild_schema::values::QoS;
use ring::digest::{SHA256, digest};
use serde_json::Value;
use tokio::time::{Duration, Instant};
use tracing::warn;

use crate::control::Controls;
use crate::mqtt::{Filter, Message};
use crate::provider::Dialogue;

/// The shortest time between two states: a second, and more for two that get closer on the way, as they do where a network or
/// a machine is slow. The cloud closes the connection over it.
const PAUSE: Duration = Duration::from_millis(2_500);

/// A device's dialogue with its registry.
#[derive(Debug)]
pub(super) struct RegistryDialogue {
    /// How the device's topics begin.
    prefix: String,
    /// Whether the state has something new to say, and when it was told last.
    changed: bool,
    told: Option<Instant>,
}

impl RegistryDialogue {
    pub(super) fn new(device: &str) -> Self {
        Self { prefix: format!("/devices/{device}/"), changed: false, told: None }
    }

    fn configure(&mut self, payload: &[u8], controls: &mut Controls) {
        // a device that was never configured has an empty configuration
        let configuration = match payload {
            [] => Ok(Value::Object(serde_json::Map::new())),
            payload => serde_json::from_slice(payload),
        };
        let Ok(Value::Object(desired)) = configuration else {
            warn!("the configuration is no JSON object");
            return;
        };
        // it is told again at each connection: what a command has set since holds
        let digest = digest(&SHA256, payload);
        controls.desire_whole(&desired, Some(format!("configuration {}", STANDARD.encode(digest))));
        self.changed = true;
    }
}

impl Dialogue for RegistryDialogue {
    fn filters(&self) -> Vec<Filter> {
        let filter = |own: &str, qos| Filter { topics: format!("{}{own}", self.prefix), qos };
        vec![filter("config", QoS::AtLeastOnce), filter("commands/#", QoS::AtLeastOnce)]
    }

    fn begin(&mut self, _: &Controls) -> Vec<Message> {
        self.changed = true;
        Vec::new()
    }

    fn answer(&mut self, topic: &str, payload: &[u8], controls: &mut Controls) -> Vec<Message> {
        match topic.strip_prefix(&self.prefix) {
            Some("config") => self.configure(payload, controls),
            Some(own) if own == "commands" || own.starts_with("commands/") => {
                controls.message(payload);
                self.changed = true;
            }
            _ => {}
        }
        Vec::new()
    }

    fn due(&mut self, now: Instant, controls: &Controls) -> Vec<Message> {
        if !self.changed || self.told.is_some_and(|told| now < told + PAUSE) {
            return Vec::new();
        }
        self.changed = false;
        self.told = Some(now);
        let topic = format!("{}state", self.prefix);
        let payload = controls.whole().to_string();
        vec![Message::new(topic, payload, QoS::AtLeastOnce)]
    }

    fn is_waiting(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests;
