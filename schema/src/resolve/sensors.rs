use minijinja::context;

use super::{Noted, Resolver, bad_template};
use crate::card;
use crate::profile::{Profile, Sensor};
use crate::template::{Compiled, TemplateError};
use crate::values::Topic;
use crate::{Code, Problem};

pub(super) fn resolve(
    profile: &Profile,
    resolver: &mut Resolver<'_>,
) -> Result<Vec<card::Sensor>, Noted> {
    let template = Compiled::new(&profile.telemetry.topic)
        .map_err(|error| resolver.note(unfillable(profile, &error)))?;
    let mut sensors = Vec::new();
    for sensor in &profile.sensors {
        // one problem with the template is enough: it is the same for every sensor
        let topic = topic(profile, &template, sensor).map_err(|problem| resolver.note(problem))?;
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

fn topic(profile: &Profile, template: &Compiled<'_>, sensor: &Sensor) -> Result<Topic, Problem> {
    let context = context! {
        device => context! { id => profile.device.id.as_str() },
        sensor => context! { id => sensor.id.as_str() },
    };
    let text = template.render(&context).map_err(|error| unfillable(profile, &error))?;
    text.parse().map_err(|refusal| {
        let message = format!("invalid topic `{text}`: {refusal}");
        Problem::new(Code::Topic, profile.telemetry.topic.span(), message)
            .label("no such topic can be")
    })
}

fn unfillable(profile: &Profile, error: &TemplateError) -> Problem {
    bad_template(&profile.telemetry.topic, error, "`device.id` and `sensor.id`")
}
