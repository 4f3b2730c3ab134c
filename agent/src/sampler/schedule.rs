//! When a sensor is read next.

use std::time::Duration;

use tracing::{info, warn};

use crate::clock::BootTime;
use crate::sensor::{Reading, Sensor};

/// A sensor, how often to read it and when next.
pub(super) struct Scheduled {
    pub(super) id: String,
    pub(super) sensor: Box<dyn Sensor>,
    pub(super) interval: Duration,
    pub(super) enabled: bool,
    pub(super) due: BootTime,
    pub(super) answered: bool,
    pub(super) failing: bool,
}

/// How often a sensor is read, and whether.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The time from one reading to the next.
    pub interval: Duration,
    /// False: it is not read.
    pub enabled: bool,
}

impl Scheduled {
    /// Takes up another pace: from its last reading on, so that a change neither hurries nor holds up the next one
    /// by more than it says.
    pub(super) fn pace(&mut self, pace: Pace, now: BootTime) {
        let last = self.due.0.saturating_sub(self.interval);
        let next = last.saturating_add(pace.interval).max(now.0);
        self.due = match (self.enabled, self.answered) {
            (false, _) => now,
            (true, true) => BootTime(next),
            // there is no reading to count from
            (true, false) => self.due.min(BootTime(next)),
        };
        self.interval = pace.interval;
        self.enabled = pace.enabled;
    }

    /// That a sensor fails is said when it begins and when it ends.
    pub(super) fn notice(&mut self, reading: &Reading) {
        match reading {
            Err(error) if !self.failing => warn!(sensor = %self.id, %error, "sensor fails"),
            Ok(_) if self.failing => info!(sensor = %self.id, "sensor answers again"),
            _ => {}
        }
        self.failing = reading.is_err();
    }
}

/// The first moment of a schedule after `now`.
pub(super) fn next_after(due: BootTime, interval: Duration, now: BootTime) -> BootTime {
    let late = now.0.saturating_sub(due.0);
    let missed = late.as_nanos() / interval.as_nanos().max(1);
    let intervals = u32::try_from(missed).unwrap_or(u32::MAX).saturating_add(1);
    BootTime(due.0.saturating_add(interval.saturating_mul(intervals)))
}
