//! What of a sensor can be set from afar.

use serde_json::{Value, json};

use super::setting::{Interval, switch};
use crate::sampler::Pace;

/// One sensor's settings.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sensor {
    pub(super) id: String,
    /// What the profile says, which holds where nothing else is wanted.
    pub(super) usual: Interval,
    pub(super) interval: Interval,
    pub(super) enabled: bool,
    /// The message that told of it last.
    pub(super) latest: Option<String>,
}

impl Sensor {
    pub(super) fn pace(&self) -> Pace {
        Pace { interval: self.interval.length, enabled: self.enabled }
    }

    pub(super) fn is_usual(&self) -> bool {
        self.enabled && self.interval == self.usual
    }

    pub(super) fn reset(&mut self) {
        self.interval = self.usual.clone();
        self.enabled = true;
    }

    pub(super) fn report(&self) -> Value {
        json!({ "interval": self.interval.said, "enabled": self.enabled })
    }

    /// Sets one key. `null` means what the profile says.
    pub(super) fn set(&mut self, key: &str, value: &Value) -> Result<(), String> {
        match key {
            "interval" if value.is_null() => self.interval = self.usual.clone(),
            "interval" => self.interval = Interval::read(value)?,
            "enabled" => self.enabled = value.is_null() || switch(value)?,
            _ => return Err("a sensor has `interval` and `enabled`".into()),
        }
        Ok(())
    }
}
