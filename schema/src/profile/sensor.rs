use schemars::JsonSchema;
use serde::Deserialize;

use crate::Sp;
use crate::sensor::{Bme680, CpuTemperature, Driver, SenseHat, Tmp102};
use crate::values::{HumanDuration, SensorId};

/// One sensor. What it is, is the one key that is not `id` or `interval`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(transform = Sensor::one_driver)]
pub struct Sensor {
    /// Its name in topics and messages.
    pub id: Sp<SensorId>,
    /// How often it is read. Left out: `telemetry.interval`.
    #[serde(default)]
    pub interval: Option<Sp<HumanDuration>>,
    /// A TMP102, TMP105 or TMP75 on an I²C bus: temperature.
    #[serde(default)]
    pub tmp102: Option<Sp<Tmp102>>,
    /// A BME680 or BME688 on an I²C bus: temperature, humidity, pressure, gas.
    #[serde(default)]
    pub bme680: Option<Sp<Bme680>>,
    /// The sensors of a Sense HAT: temperature, humidity, pressure.
    #[serde(default)]
    pub sense_hat: Option<Sp<SenseHat>>,
    /// The processor's own temperature.
    #[serde(default)]
    pub cpu_temperature: Option<Sp<CpuTemperature>>,
}

impl Sensor {
    /// The keys of which a sensor has exactly one.
    pub const DRIVERS: [&'static str; 4] = ["tmp102", "bme680", "sense-hat", "cpu-temperature"];

    /// What the checks say of a sensor that is nothing or several things, said to editors.
    fn one_driver(schema: &mut schemars::Schema) {
        crate::schema::exactly_one(schema, &Self::DRIVERS);
    }

    /// What the sensor was said to be: one thing, if the profile is right.
    pub fn drivers(&self) -> Vec<Sp<Driver>> {
        fn driver<T: Clone>(key: Option<&Sp<T>>, kind: fn(T) -> Driver) -> Option<Sp<Driver>> {
            key.map(|it| it.with(kind((**it).clone())))
        }
        let drivers = [
            driver(self.tmp102.as_ref(), Driver::Tmp102),
            driver(self.bme680.as_ref(), Driver::Bme680),
            driver(self.sense_hat.as_ref(), Driver::SenseHat),
            driver(self.cpu_temperature.as_ref(), Driver::CpuTemperature),
        ];
        drivers.into_iter().flatten().collect()
    }
}
