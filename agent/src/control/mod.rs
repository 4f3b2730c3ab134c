//! What the cloud may change on the device while it runs, and what the device says of it.
//!
//! A cloud says what it wants in a document (AWS: the desired state of a shadow, Azure: the desired
//! properties of a twin, Google: the configuration), whole or in part:
//!
//! ```json
//! {"sensors": {"air": {"interval": "30s", "enabled": false}}}
//! ```
//!
//! What can be done is done at once and kept through restarts; what cannot is refused, entry by entry, with the
//! reason. The device's own [report](Controls::report) has the same form, so that a cloud that compares
//! the two sees a difference only where there is one.

mod command;
mod kept;
mod reboot;
mod setting;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::time::Instant;

use imgbuild_schema::card;
use serde_json::{Map, Value, json};
use tracing::info;

use crate::sampler::{Order, Pace};
use reboot::Reboot;
use setting::{Interval, switch};

pub use command::Answer;

/// How many refusals are reported: a cloud takes documents of a few kilobytes.
const MOST_REFUSED: usize = 16;

/// One sensor's settings.
#[derive(Clone, Debug, PartialEq)]
struct Sensor {
    id: String,
    /// What the profile says, which holds where nothing else is wanted.
    usual: Interval,
    interval: Interval,
    enabled: bool,
    /// The message that told of it last.
    latest: Option<String>,
}

impl Sensor {
    fn pace(&self) -> Pace {
        Pace { interval: self.interval.length, enabled: self.enabled }
    }

    fn is_usual(&self) -> bool {
        self.enabled && self.interval == self.usual
    }

    fn reset(&mut self) {
        self.interval = self.usual.clone();
        self.enabled = true;
    }

    fn report(&self) -> Value {
        json!({ "interval": self.interval.said, "enabled": self.enabled })
    }

    /// Sets one key. `null` means what the profile says.
    fn set(&mut self, key: &str, value: &Value) -> Result<(), String> {
        match key {
            "interval" if value.is_null() => self.interval = self.usual.clone(),
            "interval" => self.interval = Interval::read(value)?,
            "enabled" => self.enabled = value.is_null() || switch(value)?,
            _ => return Err("a sensor has `interval` and `enabled`".into()),
        }
        Ok(())
    }
}

/// The settings that can be changed, and who is told of a change.
#[derive(Debug)]
pub struct Controls {
    sensors: Vec<Sensor>,
    /// What was wanted last and cannot be, by its place in the document.
    refused: BTreeMap<String, String>,
    /// The answer to the last command that had no other way back.
    last_command: Option<Value>,
    reboot: Reboot,
    sampler: Sender<Order>,
    file: PathBuf,
}

impl Controls {
    /// What the profile says, and of what has been changed since, what is kept in the folder `state`. A reboot is asked for
    /// in the folder `runtime`.
    pub fn open(
        sensors: &[card::Sensor],
        state: &Path,
        runtime: &Path,
        sampler: Sender<Order>,
    ) -> Self {
        let usual = |sensor: &card::Sensor| Interval::usual(sensor.interval);
        let sensor = |sensor: &card::Sensor| Sensor {
            id: sensor.id.to_string(),
            usual: usual(sensor),
            interval: usual(sensor),
            enabled: true,
            latest: None,
        };
        let mut controls = Self {
            sensors: sensors.iter().map(sensor).collect(),
            refused: BTreeMap::new(),
            last_command: None,
            reboot: Reboot::new(runtime),
            sampler,
            file: state.join(kept::FILE),
        };
        if let Some(kept) = kept::read(&controls.file) {
            controls.take(&kept);
            // a sensor that is no longer in the profile is nobody's mistake
            controls.refused.clear();
            controls.tell();
        }
        controls
    }

    /// Does what a document wants.
    pub fn desire(&mut self, desired: &Map<String, Value>) {
        self.change(desired, |_| {});
    }

    /// Does what a document wants that is whole: what it does not say is as in the profile.
    pub fn desire_whole(&mut self, desired: &Map<String, Value>) {
        self.change(desired, |sensors| sensors.iter_mut().for_each(Sensor::reset));
    }

    fn change(&mut self, desired: &Map<String, Value>, prepare: impl FnOnce(&mut [Sensor])) {
        let before: Vec<_> = self.sensors.iter().map(Sensor::report).collect();
        self.refused.clear();
        prepare(&mut self.sensors);
        self.take(desired);
        for (path, reason) in &self.refused {
            info!(setting = %path, %reason, "the cloud wants what cannot be");
        }
        let changed = |(sensor, before): &(&Sensor, &Value)| sensor.report() != **before;
        let changed: Vec<_> = self.sensors.iter().zip(&before).filter(changed).collect();
        if !changed.is_empty() {
            for (sensor, _) in changed {
                let interval = format_args!("{:?}", sensor.interval.length);
                info!(sensor = %sensor.id, %interval, enabled = sensor.enabled, "changed by the cloud");
            }
            self.tell();
            kept::write(&self.file, &self.changes());
        }
    }

    fn take(&mut self, desired: &Map<String, Value>) {
        for (key, value) in desired {
            match (key.as_str(), value) {
                ("sensors", Value::Object(sensors)) => self.take_sensors(sensors),
                ("sensors", Value::Null) => self.sensors.iter_mut().for_each(Sensor::reset),
                ("sensors", _) => self.refuse(key, "is not an object"),
                // what the device itself reports may be sent back to it
                ("refused" | "command", _) => {}
                _ => self.refuse(key, "this device has no such setting"),
            }
        }
    }

    fn take_sensors(&mut self, wanted: &Map<String, Value>) {
        for (id, settings) in wanted {
            let path = format!("sensors/{id}");
            let Some(index) = self.sensors.iter().position(|sensor| sensor.id == *id) else {
                self.refuse(&path, "this device has no such sensor");
                continue;
            };
            match settings {
                Value::Object(settings) => {
                    for (key, value) in settings {
                        if let Err(reason) = self.sensors[index].set(key, value) {
                            self.refuse(&format!("{path}/{key}"), &reason);
                        }
                    }
                }
                Value::Null => self.sensors[index].reset(),
                _ => self.refuse(&path, "is not an object"),
            }
        }
    }

    fn refuse(&mut self, path: &str, reason: &str) {
        if self.refused.len() < MOST_REFUSED {
            let path: String = path.chars().take(64).collect();
            self.refused.insert(path, reason.to_owned());
        }
    }

    fn tell(&self) {
        // a sampler that has ended reads nothing any more
        let paces = self.sensors.iter().map(Sensor::pace).collect();
        let _ = self.sampler.send(Order::Pace(paces));
    }

    /// A sensor was read: this message tells of it.
    pub fn sampled(&mut self, sensor: usize, message: String) {
        if let Some(sensor) = self.sensors.get_mut(sensor) {
            sensor.latest = Some(message);
        }
    }

    /// Does what has become due.
    pub fn tend(&mut self) {
        self.reboot.tend(Instant::now());
    }

    /// How the device is set now. What there is not is `null`, which deletes it at clouds that keep documents.
    pub fn report(&self) -> Value {
        let refused = (!self.refused.is_empty()).then(|| json!(self.refused));
        let mut report = self.settings();
        report["refused"] = refused.into();
        report["command"] = self.last_command.clone().into();
        report
    }

    /// The same in whole, for clouds that keep no documents: what there is not is left out.
    pub fn whole(&self) -> Value {
        let mut report = self.report();
        if let Some(report) = report.as_object_mut() {
            report.retain(|_, value| !value.is_null());
        }
        report
    }

    fn settings(&self) -> Value {
        let sensors = self.sensors.iter().map(|sensor| (sensor.id.clone(), sensor.report()));
        json!({ "sensors": sensors.collect::<Map<_, _>>() })
    }

    /// What differs from the profile.
    fn changes(&self) -> Value {
        let changed = self.sensors.iter().filter(|sensor| !sensor.is_usual());
        let sensors = changed.map(|sensor| (sensor.id.clone(), sensor.report()));
        json!({ "sensors": sensors.collect::<Map<_, _>>() })
    }
}

#[cfg(test)]
pub(crate) mod tests;
