//! The processor's own temperature, from the kernel's thermal zones.
//!
//! The kernel shows a zone before the driver below it is ready: until then, that of the Pi 3 and older
//! gives the converter's bare number, 719 for 25 °C, as if it were thousandths of a degree
//! (`bcm2835_thermal_get_temp` in the kernel's `drivers/thermal/broadcom`). The driver's last step
//! hands the zone to hwmon, so one that is there as well can be believed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Reading, Sensor, SensorError, temperature, thousandths};

/// How long a driver may take to be ready once its zone is there.
const READY: Duration = Duration::from_millis(500);

/// Reads the thermal zone of the processor.
#[derive(Debug)]
pub(super) struct CpuTemperature {
    zones: PathBuf,
    /// Whether the zone was there at the last reading.
    known: bool,
}

impl CpuTemperature {
    pub(super) fn new(root: &Path) -> Self {
        Self { zones: root.join("sys/class/thermal"), known: false }
    }

    /// The zone that is called after the processor; else the first, which it is on every Raspberry Pi.
    fn zone(&self) -> PathBuf {
        let entries = std::fs::read_dir(&self.zones).into_iter().flatten().flatten();
        let named = entries.map(|entry| entry.path()).find(|zone| {
            std::fs::read_to_string(zone.join("type"))
                .is_ok_and(|name| matches!(name.trim(), "cpu-thermal" | "cpu_thermal"))
        });
        named.unwrap_or_else(|| self.zones.join("thermal_zone0"))
    }

    /// Reads the zone, after a pause if it was not there before and its driver may not be ready.
    fn read_after(&mut self, pause: impl FnOnce()) -> Reading {
        let zone = self.zone();
        let was_known = std::mem::replace(&mut self.known, zone.exists());
        if !self.known {
            return Err(SensorError(format!("{} has no thermal zone", self.zones.display())));
        }
        // a kernel may be made without hwmon for zones
        if !was_known && !is_in_hwmon(&zone) {
            pause();
        }
        thousandths(&zone.join("temp")).map(temperature)
    }
}

impl Sensor for CpuTemperature {
    fn read(&mut self) -> Reading {
        self.read_after(|| std::thread::sleep(READY))
    }
}

/// Whether the zone's driver has come to its end, which gives the zone a `hwmon0`, say.
fn is_in_hwmon(zone: &Path) -> bool {
    let mut entries = std::fs::read_dir(zone).into_iter().flatten().flatten();
    entries.any(|entry| entry.file_name().as_encoded_bytes().starts_with(b"hwmon"))
}

#[cfg(test)]
mod tests {
    use super::super::put;
    use super::*;

    const TEMPERATURE: &str = "sys/class/thermal/thermal_zone0/temp";

    /// What the sensor says of zones that are ready.
    fn read(root: &Path) -> Result<f64, String> {
        if root.join(TEMPERATURE).exists() {
            put(root, "sys/class/thermal/thermal_zone0/hwmon0/name", "cpu_thermal\n");
            put(root, "sys/class/thermal/thermal_zone1/hwmon1/name", "cpu_thermal\n");
        }
        CpuTemperature::new(root).read().map(|values| values[0].value).map_err(|error| error.0)
    }

    #[test]
    fn the_zone_called_after_the_processor_is_read() {
        let root = tempfile::tempdir().unwrap();
        put(root.path(), "sys/class/thermal/thermal_zone0/type", "gpu-thermal\n");
        put(root.path(), "sys/class/thermal/thermal_zone0/temp", "99000\n");
        put(root.path(), "sys/class/thermal/thermal_zone1/type", "cpu-thermal\n");
        put(root.path(), "sys/class/thermal/thermal_zone1/temp", "48312\n");
        assert_eq!(read(root.path()), Ok(48.312));
    }

    #[test]
    fn else_the_first_is() {
        let root = tempfile::tempdir().unwrap();
        put(root.path(), TEMPERATURE, "-1500\n");
        assert_eq!(read(root.path()), Ok(-1.5));
    }

    #[test]
    fn a_zone_whose_driver_may_not_be_ready_is_waited_for_once() {
        let root = tempfile::tempdir().unwrap();
        let mut sensor = CpuTemperature::new(root.path());
        let put = |text: &str| put(root.path(), TEMPERATURE, text);
        put("719\n");
        assert_eq!(sensor.read_after(|| put("25178\n")).unwrap(), temperature(25.178));
        let again = sensor.read_after(|| panic!("it is known"));
        assert_eq!(again.unwrap(), temperature(25.178));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let root = tempfile::tempdir().unwrap();
        assert!(read(root.path()).unwrap_err().contains("has no thermal zone"));
        put(root.path(), TEMPERATURE, "warm\n");
        assert!(read(root.path()).unwrap_err().contains("\"warm\" is not a number"));
    }
}
