use minijinja::context;

use super::{Noted, Resolver, bad_template};
use crate::card;
use crate::profile::{Cloud, Profile, Sensor};
use crate::template::{Names, TemplateError};
use crate::values::Topic;
use crate::{Code, Problem};

/// The most bytes that the topics of all sensors have.
const MOST_BYTES: usize = 1 << 20;

pub(super) fn resolve(
    profile: &Profile,
    resolver: &mut Resolver<'_>,
) -> Result<Vec<card::Sensor>, Noted> {
    let template = Names::new(&profile.telemetry.topic)
        .map_err(|error| resolver.note(unfillable(profile, &error)))?;
    let mut sensors = Vec::new();
    let mut bytes = 0;
    for sensor in &profile.sensors {
        // one problem with the template is enough: it is the same for every sensor
        let topic = topic(profile, &template, sensor).map_err(|problem| resolver.note(problem))?;
        bytes += topic.as_str().len();
        if bytes > MOST_BYTES {
            return Err(resolver.note(too_much(profile)));
        }
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

fn too_much(profile: &Profile) -> Problem {
    let message = "the topics of all sensors together are longer than any device needs";
    Problem::new(Code::Limit, profile.telemetry.topic.span(), message).label("is too long")
}

fn topic(profile: &Profile, template: &Names<'_>, sensor: &Sensor) -> Result<Topic, Problem> {
    let context = context! {
        device => context! { id => profile.device.id.as_str() },
        sensor => context! { id => sensor.id.as_str() },
    };
    let text = template.fill(&context).map_err(|error| unfillable(profile, &error))?;
    let refuse =
        |message: String| Problem::new(Code::Topic, profile.telemetry.topic.span(), message);
    // a topic for Basic Ingest counts without the name of the rule (AWS IoT Core developer guide, "Basic Ingest")
    let parsed = text.parse::<Topic>();
    let ingested = parsed.as_ref().ok().and_then(Topic::ingested);
    if ingested.is_some() && !matches!(&*profile.cloud, Cloud::AwsIot(_)) {
        return Err(refuse(format!("the topic `{text}` is one of AWS IoT's"))
            .label("goes to a rule there")
            .help("leave out `$aws/rules/…/`: this cloud has none"));
    }
    let length = ingested.map_or(text.len(), str::len);
    if let Some(most) = profile.cloud.longest_topic().filter(|most| length > *most) {
        return Err(refuse(format!(
            "the topic of `{}` has {length} bytes, and this cloud takes {most}",
            *sensor.id
        ))
        .label("is too long"));
    }
    parsed.map_err(|refusal| {
        refuse(format!("invalid topic `{text}`: {refusal}")).label("no such topic can be")
    })
}

fn unfillable(profile: &Profile, error: &TemplateError) -> Problem {
    bad_template(&profile.telemetry.topic, error, "`device.id` and `sensor.id`")
}
