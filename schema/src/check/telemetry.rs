use std::time::Duration;

use crate::profile::{Payload, Profile, Sensor, Telemetry};
use crate::sensor::Driver;
use crate::telemetry::SHORTEST_INTERVAL;
use crate::values::{HumanDuration, QoS};
use crate::{Code, Problem, Sp, Span};

pub(super) fn check(profile: &Profile, problems: &mut Vec<Problem>) {
    let telemetry = &profile.telemetry;
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
    reconnect(telemetry, problems);
    queue(telemetry, problems);
    drain(profile, problems);
}

fn reconnect(telemetry: &Telemetry, problems: &mut Vec<Problem>) {
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
    if reconnect.stable <= reconnect.first {
        problems.push(
            Problem::new(
                Code::Contradiction,
                reconnect.span(),
                format!(
                    "a connection that held for {} would count as good after a wait of {}",
                    reconnect.stable, reconnect.first
                ),
            )
            .label("`stable` is more than `first`")
            .help("else a connection that breaks at once is made again and again without growing waits"),
        );
    }
}

fn queue(telemetry: &Telemetry, problems: &mut Vec<Problem>) {
    let max_bytes = &telemetry.queue.max_bytes;
    if max_bytes.bytes() < 4096 {
        problems.push(
            Problem::new(
                Code::InvalidValue,
                max_bytes.span(),
                format!("{} is too little for a queue", **max_bytes),
            )
            .label("should be at least 4KiB")
            .help("a message takes about 150 bytes"),
        );
    }
}

/// The rule for the interval of one sensor and for that of all.
pub(super) fn interval(interval: &Sp<HumanDuration>, problems: &mut Vec<Problem>) {
    if **interval < SHORTEST_INTERVAL {
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

/// How many messages a sensor makes each time it is read.
fn messages(sensor: &Sensor, payload: Payload) -> f64 {
    let values = |driver: &Sp<Driver>| match **driver {
        Driver::Bme680(_) => 4.0,
        Driver::SenseHat(_) => 3.0,
        Driver::Tmp102(_) | Driver::CpuTemperature(_) => 1.0,
    };
    match payload {
        Payload::Record => 1.0,
        Payload::Reading => sensor.drivers().iter().map(values).sum(),
    }
}

/// How many messages all sensors make in a second, and where the busiest one says how often it is read.
fn made(profile: &Profile) -> (f64, Option<Span>) {
    let telemetry = &profile.telemetry;
    let own = |sensor: &Sp<Sensor>| {
        let interval = sensor.interval.as_ref().unwrap_or(&telemetry.interval);
        // one that is too short is told as such
        let seconds = Some(interval.get()).filter(|it| *it >= SHORTEST_INTERVAL.get());
        let messages = messages(sensor, *telemetry.payload);
        (seconds.map_or(0.0, |it| messages / it.as_secs_f64()), interval.span())
    };
    let all: Vec<_> = profile.sensors.iter().map(own).collect();
    let busiest = all.iter().max_by(|a, b| a.0.total_cmp(&b.0));
    (all.iter().map(|(rate, _)| rate).sum(), busiest.and_then(|(_, span)| *span))
}

/// What is queued in an outage must go out faster than it came in, or the next outage finds it there.
fn drain(profile: &Profile, problems: &mut Vec<Problem>) {
    let (made, busiest) = made(profile);
    let rate = &profile.telemetry.drain_rate;
    let Some(drained) = rate.per_second().filter(|drained| *drained < made) else { return };
    problems.push(
        Problem::new(
            Code::Limit,
            rate.span().or(busiest),
            format!(
                "after an outage {drained:.3} queued messages are sent a second, and {made:.3} were made"
            ),
        )
        .label("would take longer than the outage")
        .related(rate.span().and(busiest), "the sensor that is read most often")
        .help("raise `drain_rate`, or write `drain_rate: unlimited`, or read sensors less often"),
    );
}

/// What the cloud takes in a second.
pub(super) fn rate(profile: &Profile, most: f64, limit: &str, problems: &mut Vec<Problem>) {
    let (made, busiest) = made(profile);
    if made > most {
        problems.push(
            Problem::new(
                Code::Limit,
                busiest,
                format!("the sensors make {made:.0} messages a second"),
            )
            .label("is read too often")
            .help(format!("{limit}; what is beyond that is lost")),
        );
    }
}

/// How long the cloud waits for a sign of life, in seconds.
pub(super) fn keepalive(
    profile: &Profile,
    least: u64,
    most: u64,
    whose: &str,
    problems: &mut Vec<Problem>,
) {
    let keepalive = &profile.telemetry.keepalive;
    let time = keepalive.get();
    if !(Duration::from_secs(least)..=Duration::from_secs(most)).contains(&time) {
        problems.push(
            Problem::new(
                Code::Limit,
                keepalive.span(),
                format!("{} is no keepalive for {whose}", **keepalive),
            )
            .label(format!("should be {least}s to {most}s"))
            .help("a connection that is silent for longer is closed, a shorter time costs data"),
        );
    } else if time.subsec_nanos() > 0 {
        problems.push(
            Problem::new(
                Code::InvalidValue,
                keepalive.span(),
                "MQTT counts its keepalive in seconds",
            )
            .label("should be whole seconds"),
        );
    }
}

/// Which of MQTT's qualities of service the cloud has.
pub(super) fn no_exactly_once(profile: &Profile, cloud: &str, problems: &mut Vec<Problem>) {
    let qos = &profile.telemetry.qos;
    if **qos == QoS::ExactlyOnce {
        problems.push(
            Problem::new(Code::Contradiction, qos.span(), format!("{cloud} takes no QoS 2"))
                .label("would close the connection")
                .related(profile.cloud.span(), "goes there")
                .help(
                    "write `1`: each message has a number, by which one that comes twice is known",
                ),
        );
    }
}

/// How many levels the cloud's topics may have.
pub(super) fn slashes(profile: &Profile, most: usize, problems: &mut Vec<Problem>) {
    let topic = &profile.telemetry.topic;
    // no id that a template may fill in has a slash; those of `$aws/rules/RULE/` are not counted
    let ingest = if topic.starts_with("$aws/rules/") { 3 } else { 0 };
    let slashes = topic.matches('/').count().saturating_sub(ingest);
    if slashes > most {
        problems.push(
            Problem::new(
                Code::Topic,
                topic.span(),
                format!("the topic has {slashes} slashes, and this cloud takes {most}"),
            )
            .label("has too many levels")
            .help("join some of its levels with `-` or `_`"),
        );
    }
}
