use std::collections::HashMap;

use super::telemetry;
use crate::profile::{Profile, Sensor};
use crate::sensor::Driver;
use crate::values::{I2cAddress, I2cBus};
use crate::{Code, Problem, Sp, Span};

pub(super) fn check(profile: &Profile, problems: &mut Vec<Problem>) {
    if profile.sensors.is_empty() && profile.inputs.is_empty() {
        problems.push(
            Problem::new(
                Code::MissingKey,
                None,
                "`sensors` is missing or empty: nothing would be published",
            )
            .help("add one, such as `- {id: cpu, cpu-temperature: {}}`"),
        );
    }
    ids(profile, problems);
    let mut places = HashMap::new();
    for sensor in &profile.sensors {
        if let Some(interval) = &sensor.interval {
            telemetry::interval(interval, problems);
        }
        match sensor.drivers().as_slice() {
            [driver] => place(sensor, driver, &mut places, problems),
            drivers => problems.push(not_one(sensor, drivers)),
        }
    }
}

/// Sensors, inputs and outputs are told apart by their ids in topics and commands.
fn ids(profile: &Profile, problems: &mut Vec<Problem>) {
    let sensors = profile.sensors.iter().map(|sensor| &sensor.id);
    let inputs = profile.inputs.iter().map(|input| &input.id);
    let outputs = profile.outputs.iter().map(|output| &output.id);
    let mut seen = HashMap::new();
    for id in sensors.chain(inputs).chain(outputs) {
        if let Some(first) = seen.insert(id.as_str(), id.span()) {
            problems.push(
                Problem::new(
                    Code::Duplicate,
                    id.span(),
                    format!("two things are called `{}`", **id),
                )
                .label("for the second time")
                .related(first, "for the first time")
                .help("give one of them another id"),
            );
        }
    }
}

fn not_one(sensor: &Sp<Sensor>, drivers: &[Sp<Driver>]) -> Problem {
    let known = Sensor::DRIVERS.join(", ");
    match drivers {
        [first, .., second] => Problem::new(
            Code::ChooseOne,
            second.span(),
            format!("the sensor `{}` cannot be several things at once", *sensor.id),
        )
        .label("one too many")
        .related(first.span(), format!("is a {}", first.name()))
        .help("write a sensor of its own for each"),
        _ => Problem::new(
            Code::ChooseOne,
            sensor.id.span(),
            format!("the sensor `{}` does not say what it is", *sensor.id),
        )
        .label("is what?")
        .help(format!("add one of: {known}")),
    }
}

/// Where each sensor that was seen answers, and where the profile says so.
type Places = HashMap<(I2cBus, I2cAddress), (String, Option<Span>)>;

fn place(
    sensor: &Sp<Sensor>,
    driver: &Sp<Driver>,
    places: &mut Places,
    problems: &mut Vec<Problem>,
) {
    for (bus, address) in driver.i2c() {
        possible(driver, address, problems);
        let here = (sensor.id.to_string(), driver.span());
        let Some((first, span)) = places.insert((bus, address), here) else { continue };
        problems.push(
            Problem::new(
                Code::Collision,
                driver.span(),
                format!("two sensors at {address} on {bus}: `{first}` and `{}`", *sensor.id),
            )
            .label("would answer at the same time")
            .related(span, format!("`{first}` answers there too"))
            .help("give one of them another address, by its address pin, or another bus"),
        );
        return;
    }
}

/// The addresses that the chip's pins allow.
fn possible(driver: &Sp<Driver>, address: I2cAddress, problems: &mut Vec<Problem>) {
    let (name, range, help) = match **driver {
        Driver::Tmp102(_) => {
            ("TMP102", 0x48..=0x4f, "a TMP102 answers at 0x48 to 0x4b, its relatives at up to 0x4f")
        }
        Driver::Bme680(_) => ("BME680", 0x76..=0x77, "a BME680 answers at 0x76, or at 0x77"),
        Driver::SenseHat(_) | Driver::CpuTemperature(_) => return,
    };
    if !range.contains(&address.get()) {
        problems.push(
            Problem::new(
                Code::InvalidValue,
                driver.span(),
                format!("a {name} cannot be at {address}"),
            )
            .label("no such address")
            .help(help),
        );
    }
}
