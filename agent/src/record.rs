//! What was read, when, and how it is said.

use std::fmt::Write as _;

use crate::clock::{BootTime, Clock, Utc};
use crate::sensor::{Quantity, Reading};

/// One reading on its way to the cloud.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its number: of two readings of this device the later has the higher, for ever.
    pub sequence: u64,
    /// Which of the profile's sensors was read.
    pub sensor: usize,
    /// When.
    pub stamp: Stamp,
    /// What it said.
    pub reading: Reading,
}

/// When a sensor was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// In time since the machine started, which is always known.
    pub boot: BootTime,
    /// In time of day, once that is known.
    pub utc: Option<Utc>,
}

impl Stamp {
    /// A moment whose time of day is not known yet.
    pub fn at(boot: BootTime) -> Self {
        Self { boot, utc: None }
    }

    /// Gives the moment the time of day that it has by a clock that is right; what it once was stays.
    pub fn settle(&mut self, clock: &dyn Clock) {
        if self.utc.is_none() {
            self.utc = Some(clock.utc_at(self.boot));
        }
    }
}

impl Record {
    /// About how much memory the record takes up.
    pub fn size(&self) -> u64 {
        let heap = match &self.reading {
            Ok(measurements) => size_of_val(measurements.as_slice()),
            Err(error) => error.0.len(),
        };
        (size_of::<Self>() + heap) as u64
    }

    /// The record as one JSON object, in the order of keys that it always has.
    pub fn json(&self, device: &str, sensor: &str, quantities: &[Quantity], utc: Utc) -> String {
        let mut json = format!(
            r#"{{"sequence":{},"utc_timestamp":{},"device":{},"sensor":{}"#,
            self.sequence,
            utc.seconds(),
            quoted(device),
            quoted(sensor)
        );
        for quantity in quantities {
            let _ = write!(json, r#","{}":{}"#, quantity.key(), number(self.value(*quantity)));
        }
        let _ = match &self.reading {
            Ok(_) => write!(json, r#","status":"success"}}"#),
            Err(error) => write!(json, r#","status":"error","error":{}}}"#, quoted(&error.0)),
        };
        json
    }

    fn value(&self, quantity: Quantity) -> Option<f64> {
        let measurements = self.reading.as_ref().ok()?;
        measurements.iter().find(|measurement| measurement.quantity == quantity).map(|m| m.value)
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A value with at most four decimals, finer than any sensor; what is no number is null.
fn number(value: Option<f64>) -> String {
    let rounded = value.map(|value| (value * 10_000.0).round() / 10_000.0);
    serde_json::Value::from(rounded).to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::fake::FakeClock;
    use crate::sensor::{Measurement, SensorError};

    fn json(reading: Reading) -> String {
        let record =
            Record { sequence: 17, sensor: 0, stamp: Stamp::at(BootTime::default()), reading };
        let utc = Utc(Duration::from_millis(1_581_417_910_250));
        record.json("greenhouse-01", "air", &[Quantity::Temperature], utc)
    }

    fn celsius(value: f64) -> Vec<Measurement> {
        vec![Measurement { quantity: Quantity::Temperature, value }]
    }

    #[test]
    fn a_reading_is_said_as_agreed() {
        assert_eq!(
            json(Ok(celsius(23.6))),
            r#"{"sequence":17,"utc_timestamp":1581417910.250,"device":"greenhouse-01","sensor":"air","temperature":23.6,"status":"success"}"#
        );
    }

    #[test]
    fn a_failed_reading_is_said_too() {
        assert_eq!(
            json(Err(SensorError("no \"answer\"".into()))),
            r#"{"sequence":17,"utc_timestamp":1581417910.250,"device":"greenhouse-01","sensor":"air","temperature":null,"status":"error","error":"no \"answer\""}"#
        );
    }

    #[test]
    fn values_are_as_fine_as_sensors_are() {
        for (value, text) in
            [(0.1 + 0.2, "0.3"), (-0.0625, "-0.0625"), (24.0, "24.0"), (48.312, "48.312")]
        {
            assert!(
                json(Ok(celsius(value))).contains(&format!("\"temperature\":{text},")),
                "{value}"
            );
        }
        assert!(json(Ok(celsius(f64::NAN))).contains("\"temperature\":null,"));
    }

    #[test]
    fn the_time_of_day_is_settled_once() {
        let clock = FakeClock::at(100, 1_000_000);
        let mut stamp = Stamp::at(BootTime(Duration::from_secs(40)));
        stamp.settle(&clock);
        assert_eq!(stamp.utc, Some(Utc(Duration::from_secs(999_940))));
        clock.set_utc(2_000_000);
        stamp.settle(&clock);
        assert_eq!(stamp.utc, Some(Utc(Duration::from_secs(999_940))));
    }

    /// AWS IoT takes 128 KiB, Google's IoT Core 64 KiB of state, Event Hubs 256 KB: so nothing that a profile says can
    /// be too long, and `check` has nothing to say about it.
    #[test]
    fn the_longest_message_is_far_below_what_any_cloud_takes() {
        // no sensor measures as much
        let all = [Quantity::Temperature; 16];
        let measured = all.map(|quantity| Measurement { quantity, value: -f64::MAX });
        let longest_error = SensorError("\u{1}".repeat(1024));
        for reading in [Ok(measured.to_vec()), Err(longest_error)] {
            let stamp = Stamp::at(BootTime::default());
            let record = Record { sequence: u64::MAX, sensor: 0, stamp, reading };
            // the longest ids that the schema takes
            let (device, sensor) = ("d".repeat(128), "s".repeat(64));
            let json = record.json(&device, &sensor, &all, Utc(Duration::from_secs(1 << 40)));
            assert!(json.len() < 8 << 10, "{}", json.len());
        }
    }
}
