use std::time::Duration;

use crate::profile::Telemetry;
use crate::values::HumanDuration;
use crate::{Code, Problem, Sp};

/// The shortest time between two readings of one sensor that the agent keeps up with.
pub(super) const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);

pub(super) fn check(telemetry: &Telemetry, problems: &mut Vec<Problem>) {
    interval(&telemetry.interval, problems);
    for timeout in [&telemetry.connect_timeout, &telemetry.ack_timeout] {
        if timeout.get() < Duration::from_secs(1) {
            problems.push(
                Problem::new(
                    Code::InvalidValue,
                    timeout.span(),
                    format!("{} is too short to wait", **timeout),
                )
                .label("should be at least 1s"),
            );
        }
    }
    let reconnect = &telemetry.reconnect;
    if reconnect.first > reconnect.max || reconnect.first.get().is_zero() {
        problems.push(
            Problem::new(
                Code::Contradiction,
                reconnect.span(),
                format!("waits cannot grow from {} to {}", reconnect.first, reconnect.max),
            )
            .label("`first` is more than nothing and at most `max`"),
        );
    }
}

/// The rule for the interval of one sensor and for that of all.
pub(super) fn interval(interval: &Sp<HumanDuration>, problems: &mut Vec<Problem>) {
    if interval.get() < SHORTEST_INTERVAL {
        problems.push(
            Problem::new(
                Code::InvalidValue,
                interval.span(),
                format!("{} is too short an interval", **interval),
            )
            .label("should be at least 100ms"),
        );
    }
}
