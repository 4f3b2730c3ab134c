use std::collections::HashSet;

use super::telemetry;
use crate::profile::Sensor;
use crate::sensor::Driver;
use crate::{Code, Problem, Sp};

pub(super) fn check(sensors: &[Sp<Sensor>], problems: &mut Vec<Problem>) {
    if sensors.is_empty() {
        problems.push(
            Problem::new(
                Code::MissingKey,
                None,
                "`sensors` is missing or empty: nothing would be published",
            )
            .help("add one, such as `- {id: cpu, cpu-temperature: {}}`"),
        );
    }
    let mut ids = HashSet::new();
    let mut places = HashSet::new();
    for sensor in sensors {
        if !ids.insert(sensor.id.as_str()) {
            problems.push(
                Problem::new(
                    Code::Duplicate,
                    sensor.id.span(),
                    format!("two sensors are called `{}`", *sensor.id),
                )
                .label("taken by another sensor"),
            );
        }
        if let Some(interval) = &sensor.interval {
            telemetry::interval(interval, problems);
        }
        match sensor.drivers().as_slice() {
            [driver] => place(sensor, driver, &mut places, problems),
            drivers => problems.push(not_one(sensor, drivers)),
        }
    }
}

fn not_one(sensor: &Sp<Sensor>, drivers: &[Sp<Driver>]) -> Problem {
    let known = Sensor::DRIVERS.join(", ");
    match drivers.last() {
        Some(second) => Problem::new(
            Code::ChooseOne,
            second.span(),
            format!("the sensor `{}` cannot be several things at once", *sensor.id),
        )
        .label("one too many")
        .help("write a sensor of its own for each"),
        None => Problem::new(
            Code::ChooseOne,
            sensor.id.span(),
            format!("the sensor `{}` does not say what it is", *sensor.id),
        )
        .label("is what?")
        .help(format!("add one of: {known}")),
    }
}

fn place(
    sensor: &Sp<Sensor>,
    driver: &Sp<Driver>,
    places: &mut HashSet<(crate::values::I2cBus, crate::values::I2cAddress)>,
    problems: &mut Vec<Problem>,
) {
    let Some((bus, address)) = driver.i2c() else { return };
    let problem = |message: String| Problem::new(Code::Contradiction, driver.span(), message);
    if matches!(**driver, Driver::Tmp102(_)) && !(0x48..=0x4f).contains(&address.get()) {
        problems.push(
            problem(format!("a TMP102 cannot be at {address}"))
                .label("no such address")
                .help("a TMP102 answers at 0x48 to 0x4b, its relatives at up to 0x4f"),
        );
    }
    if !places.insert((bus, address)) {
        problems.push(
            problem(format!("two sensors at {address} on {bus}: `{}` is the second", *sensor.id))
                .label("taken by another sensor")
                .help("give one of them another address, by its address pin"),
        );
    }
}
