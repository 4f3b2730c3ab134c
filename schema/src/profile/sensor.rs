use serde::Deserialize;

use crate::Sp;
use crate::sensor::{CpuTemperature, Driver, Tmp102};
use crate::values::{HumanDuration, SensorId};

/// One sensor. What it is, is the one key that is not `id` or `interval`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sensor {
    /// Its name in topics and messages.
    pub id: Sp<SensorId>,
    /// How often it is read. Left out: `telemetry.interval`.
    #[serde(default)]
    pub interval: Option<Sp<HumanDuration>>,
    /// A TMP102, TMP105 or TMP75 on an I²C bus.
    #[serde(default)]
    pub tmp102: Option<Sp<Tmp102>>,
    /// The processor's own temperature.
    #[serde(default)]
    pub cpu_temperature: Option<Sp<CpuTemperature>>,
}

impl Sensor {
    /// The keys of which a sensor has exactly one.
    pub const DRIVERS: [&'static str; 2] = ["tmp102", "cpu-temperature"];

    /// What the sensor was said to be: one thing, if the profile is right.
    pub fn drivers(&self) -> Vec<Sp<Driver>> {
        let tmp102 = self.tmp102.as_ref().map(|it| it.with(Driver::Tmp102((**it).clone())));
        let cpu =
            self.cpu_temperature.as_ref().map(|it| it.with(Driver::CpuTemperature((**it).clone())));
        [tmp102, cpu].into_iter().flatten().collect()
    }
}
