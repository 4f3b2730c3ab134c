use minijinja::{Value, context};

use super::{Noted, Resolver};
use crate::card;
use crate::profile::{Profile, Sensor};
use crate::template::{self, TemplateError};
use crate::values::Topic;
use crate::{Code, Problem, Sp, Span};

pub(super) fn resolve(
    profile: &Profile,
    resolver: &mut Resolver<'_>,
) -> Result<Vec<card::Sensor>, Noted> {
    let mut sensors = Vec::new();
    for sensor in &profile.sensors {
        // one problem with the template is enough: it is the same for every sensor
        let topic = topic(profile, sensor).map_err(|problem| resolver.note(problem))?;
        let interval = sensor.interval.as_ref().unwrap_or(&profile.telemetry.interval);
        // a sensor that is not exactly one thing has been reported by the checks
        let driver = sensor.drivers().pop().ok_or(Noted)?.into_inner();
        sensors.push(card::Sensor {
            id: (*sensor.id).clone(),
            topic,
            interval: **interval,
            driver,
        });
    }
    Ok(sensors)
}

fn topic(profile: &Profile, sensor: &Sensor) -> Result<Topic, Problem> {
    let template = &profile.telemetry.topic;
    let context = context! {
        device => context! { id => profile.device.id.as_str() },
        sensor => context! { id => sensor.id.as_str() },
    };
    let text = fill_in(template, &context)?;
    text.parse().map_err(|refusal| {
        Problem::new(
            Code::InvalidValue,
            template.span(),
            format!("invalid topic `{text}`: {refusal}"),
        )
        .label("no such topic can be")
    })
}

fn fill_in(source: &Sp<String>, context: &Value) -> Result<String, Problem> {
    template::render(source, context).map_err(|error| {
        let span = error_span(source, &error).or(source.span());
        Problem::new(Code::BadTemplate, span, format!("this template cannot be filled in: {error}"))
            .label("not known here")
            .help("a topic's template knows `device.id` and `sensor.id`")
    })
}

/// Where in the profile a template's error lies, if its text stands there as it was written: bare, or
/// between quotes.
fn error_span(source: &Sp<String>, error: &TemplateError) -> Option<Span> {
    let (span, range) = (source.span()?, error.range.clone()?);
    let quote = match (span.end - span.start).checked_sub(source.len())? {
        0 => 0,
        2 => 1,
        _ => return None,
    };
    let start = span.start + quote + range.start;
    Some(Span { start, end: start + range.len() })
}
