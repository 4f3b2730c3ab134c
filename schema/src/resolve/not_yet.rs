//! What the language has and this version cannot put on a card yet. Refused when a card is built, so that no
//! setting is ever silently left out.

use super::Resolver;
use crate::profile::{Payload, Profile};
use crate::sensor::Driver;
use crate::{Code, Problem, Span};

pub(super) fn note(profile: &Profile, resolver: &mut Resolver<'_>) {
    let telemetry = &profile.telemetry;
    let queue = &telemetry.queue;
    let written = |span: Option<Span>, what: &str| span.map(|span| (span, what.to_owned()));
    let mut found = vec![
        written(queue.max_age.span(), "`max_age`"),
        written(queue.when_full.span(), "`when_full`"),
        written(queue.sync.span(), "`sync`"),
        written(telemetry.drain_rate.span(), "`drain_rate`"),
    ];
    if *telemetry.payload == Payload::Reading {
        found.push(written(telemetry.payload.span(), "the payload `reading`"));
    }
    for driver in profile.sensors.iter().flat_map(|sensor| sensor.drivers()) {
        if !matches!(*driver, Driver::Tmp102(_) | Driver::CpuTemperature(_)) {
            found.push(written(driver.span(), &format!("the sensor {}", driver.name())));
        }
    }
    found.extend(profile.inputs.iter().map(|input| written(input.id.span(), "an input")));
    found.extend(profile.outputs.iter().map(|output| written(output.id.span(), "an output")));
    for (span, what) in found.into_iter().flatten() {
        resolver.not_yet.push(problem(Some(span), &what));
    }
}

/// The problem of something that is right and cannot be built yet.
pub(super) fn problem(span: Option<Span>, what: &str) -> Problem {
    Problem::new(Code::NotYet, span, format!("this version cannot put {what} on a card yet"))
        .label("is understood, and not built yet")
        .help("leave it out for now; `imgbuild check` goes on checking it")
}
