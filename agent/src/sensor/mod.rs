//! The sensors: what each measures and how it is read.
//!
//! A sensor that the kernel has a driver for is read through that driver's files, for two masters at
//! one chip disturb each other; all others are read directly.

mod bus;
mod cpu_temperature;
mod tmp102;

use std::path::Path;

use imgbuild_schema::sensor::Driver;

use cpu_temperature::CpuTemperature;
use tmp102::Tmp102;

/// Something that can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// In degrees Celsius.
    Temperature,
}

impl Quantity {
    /// Its key in a message.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Temperature => "temperature",
        }
    }
}

/// One measured value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measurement {
    /// What was measured.
    pub quantity: Quantity,
    /// The value, in the quantity's unit.
    pub value: f64,
}

/// What a sensor said, or why it said nothing.
pub type Reading = Result<Vec<Measurement>, SensorError>;

/// Why a sensor could not be read. The text says it all: it goes into a message and to the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SensorError(pub String);

/// A sensor that can be read.
pub trait Sensor: Send {
    /// Reads it, which may take as long as the bus does.
    fn read(&mut self) -> Reading;
}

/// What a sensor measures, in the order of its keys in a message.
pub const fn quantities(driver: &Driver) -> &'static [Quantity] {
    match driver {
        Driver::Tmp102(_) | Driver::CpuTemperature(_) => &[Quantity::Temperature],
        Driver::Bme680(_) | Driver::SenseHat(_) => &[],
    }
}

/// The sensor of a driver, on the machine whose files lie below `root`. Nothing is opened before the
/// first reading, so that a sensor that is plugged in later is found.
pub fn sensor(driver: &Driver, root: &Path) -> Box<dyn Sensor> {
    match driver {
        Driver::Tmp102(place) => Box::new(Tmp102::new(place.clone(), root)),
        Driver::CpuTemperature(_) => Box::new(CpuTemperature::new(root)),
        Driver::Bme680(_) | Driver::SenseHat(_) => Box::new(Unknown(driver.name())),
    }
}

/// A sensor that this version cannot read. The builder refuses to put one on a card.
struct Unknown(&'static str);

impl Sensor for Unknown {
    fn read(&mut self) -> Reading {
        Err(SensorError(format!("this agent cannot read a {}", self.0)))
    }
}

fn temperature(value: f64) -> Vec<Measurement> {
    vec![Measurement { quantity: Quantity::Temperature, value }]
}

/// The number in a file of the kernel's, which counts temperatures in thousandths of a degree.
fn thousandths(path: &Path) -> Result<f64, SensorError> {
    let fault = |what: &dyn std::fmt::Display| SensorError(format!("{}: {what}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| fault(&error))?;
    match text.trim().parse::<i32>() {
        Ok(number) => Ok(f64::from(number) / 1000.0),
        Err(_) => Err(fault(&format_args!("{:?} is not a number", text.trim()))),
    }
}

#[cfg(test)]
pub(crate) fn put(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}
