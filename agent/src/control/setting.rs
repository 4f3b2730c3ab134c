//! Values of settings, as clouds write them.

use std::time::Duration;

use imgbuild_schema::telemetry::SHORTEST_INTERVAL;
use imgbuild_schema::values::HumanDuration;
use serde_json::Value;

/// How often a sensor is read. It keeps how it was said, so that what is reported equals what was wanted.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Interval {
    pub(super) length: Duration,
    pub(super) said: Value,
}

/// The longest interval: longer ones are slips.
const LONGEST: Duration = Duration::from_hours(24 * 366);

impl Interval {
    /// As the profile says it.
    pub(super) fn usual(interval: HumanDuration) -> Self {
        Self { length: interval.get(), said: interval.to_string().into() }
    }

    /// As a cloud says it: seconds, or a number with a unit.
    pub(super) fn read(value: &Value) -> Result<Self, String> {
        let length = match value {
            Value::Number(seconds) => seconds
                .as_f64()
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
                .ok_or_else(|| format!("`{seconds}` is no number of seconds"))?,
            Value::String(text) => {
                text.parse::<HumanDuration>().map_err(|error| error.to_string())?.get()
            }
            _ => return Err("write seconds, or a number with a unit such as `30s`".into()),
        };
        if length < SHORTEST_INTERVAL.get() || length > LONGEST {
            return Err(format!("an interval is {SHORTEST_INTERVAL} to 366d"));
        }
        Ok(Self { length, said: value.clone() })
    }
}

/// Whether something is on.
pub(super) fn switch(value: &Value) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| "write `true` or `false`".into())
}
