use minijinja::context;

use super::{Noted, Resolver, fill_in};
use crate::card;
use crate::profile::{Profile, Sensor};
use crate::values::Topic;
use crate::{Code, Problem};

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
    let text = fill_in(template, &context, "`device.id` and `sensor.id`")?;
    text.parse().map_err(|refusal| {
        Problem::new(Code::Topic, template.span(), format!("invalid topic `{text}`: {refusal}"))
            .label("no such topic can be")
    })
}
