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
mod sensor;
mod setting;

use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::time::Instant;

use imgbuild_schema::card;
use serde_json::{Map, Value, json};
use tracing::info;

use crate::sampler::Order;
use reboot::Reboot;
use sensor::Sensor;
use setting::Interval;

pub use command::Answer;

/// How many refusals are reported: a cloud takes documents of a few kilobytes.
const MOST_REFUSED: usize = 16;

/// The key under which the mark of the last document is kept.
const MARK: &str = "mark";

/// The settings that can be changed, and who is told of a change.
#[derive(Debug)]
pub struct Controls {
    sensors: Vec<Sensor>,
    /// What the last document wanted that cannot be: its place in the document, and the reason.
    refused: Vec<String>,
    /// By what the last document is known again.
    mark: Option<String>,
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
            refused: Vec::new(),
            mark: None,
            last_command: None,
            reboot: Reboot::new(runtime),
            sampler,
            file: state.join(kept::FILE),
        };
        if let Some(mut kept) = kept::read(&controls.file) {
            controls.mark = kept.remove(MARK).and_then(|mark| mark.as_str().map(str::to_owned));
            // a sensor that is no longer in the profile is nobody's mistake
            controls.take(&kept);
            controls.tell();
        }
        controls
    }

    /// Does what a document wants, by which mark it is known again.
    pub fn desire(&mut self, desired: &Map<String, Value>, mark: Option<String>) {
        self.refused = self.change(desired, |_| {});
        self.remember(mark);
    }

    /// Does what a document wants that is whole: what it does not say is as in the profile. One that was done last is not
    /// done again: what was set since by a command holds.
    pub fn desire_whole(&mut self, desired: &Map<String, Value>, mark: Option<String>) {
        if mark.is_none() || mark != self.mark {
            self.refused =
                self.change(desired, |sensors| sensors.iter_mut().for_each(Sensor::reset));
            self.remember(mark);
        }
    }

    fn remember(&mut self, mark: Option<String>) {
        if mark != self.mark {
            self.mark = mark;
            self.keep();
        }
    }

    /// Changes settings, and returns what cannot be.
    fn change(
        &mut self,
        desired: &Map<String, Value>,
        prepare: impl FnOnce(&mut [Sensor]),
    ) -> Vec<String> {
        let before: Vec<_> = self.sensors.iter().map(Sensor::report).collect();
        prepare(&mut self.sensors);
        let refused = self.take(desired);
        for refusal in &refused {
            info!(refused = %refusal.escape_debug(), "the cloud wants what cannot be");
        }
        let changed = |(sensor, before): &(&Sensor, &Value)| sensor.report() != **before;
        let changed: Vec<_> = self.sensors.iter().zip(&before).filter(changed).collect();
        for (sensor, _) in &changed {
            let interval = format_args!("{:?}", sensor.interval.length);
            info!(sensor = %sensor.id, %interval, enabled = sensor.enabled, "changed by the cloud");
        }
        if !changed.is_empty() {
            self.tell();
            self.keep();
        }
        refused
    }

    fn take(&mut self, desired: &Map<String, Value>) -> Vec<String> {
        let mut refused = Refusals::default();
        for (key, value) in desired {
            match (key.as_str(), value) {
                ("sensors", Value::Object(sensors)) => self.take_sensors(sensors, &mut refused),
                ("sensors", Value::Null) => self.sensors.iter_mut().for_each(Sensor::reset),
                ("sensors", _) => refused.add(key, "is not an object"),
                // what the device itself reports may be sent back to it
                ("refused" | "command", _) => {}
                _ => refused.add(key, "this device has no such setting"),
            }
        }
        refused.0
    }

    fn take_sensors(&mut self, wanted: &Map<String, Value>, refused: &mut Refusals) {
        for (id, settings) in wanted {
            let path = format!("sensors/{id}");
            let Some(sensor) = self.sensors.iter_mut().find(|sensor| sensor.id == *id) else {
                refused.add(&path, "this device has no such sensor");
                continue;
            };
            match settings {
                Value::Object(settings) => {
                    for (key, value) in settings {
                        if let Err(reason) = sensor.set(key, value) {
                            refused.add(&format!("{path}/{key}"), &reason);
                        }
                    }
                }
                Value::Null => sensor.reset(),
                _ => refused.add(&path, "is not an object"),
            }
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

    /// How the device is set now. What there is not is `null`, which deletes it at clouds that keep documents; and what is
    /// to be replaced and not merged with what was there is no object: refusals are a list, and what became of the last
    /// command is a text.
    pub fn report(&self) -> Value {
        let mut report = self.settings();
        report["refused"] = (!self.refused.is_empty()).then(|| json!(self.refused)).into();
        report["command"] = self.last_command.as_ref().map(Value::to_string).into();
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

    /// Keeps what differs from the profile.
    fn keep(&self) {
        let changed = self.sensors.iter().filter(|sensor| !sensor.is_usual());
        let sensors = changed.map(|sensor| (sensor.id.clone(), sensor.report()));
        let mut kept = json!({ "sensors": sensors.collect::<Map<_, _>>() });
        kept[MARK] = self.mark.clone().into();
        kept::write(&self.file, &kept);
    }
}

/// What cannot be, so much of it as fits into a report.
#[derive(Debug, Default)]
struct Refusals(Vec<String>);

impl Refusals {
    fn add(&mut self, path: &str, reason: &str) {
        if self.0.len() < MOST_REFUSED {
            let start = |text: &str, most| text.chars().take(most).collect::<String>();
            self.0.push(format!("{}: {}", start(path, 64), start(reason, 120)));
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
