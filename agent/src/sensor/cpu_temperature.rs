//! The processor's own temperature, from the kernel's thermal zones.

use std::path::{Path, PathBuf};

use super::{Reading, Sensor, SensorError, temperature, thousandths};

/// Reads the thermal zone of the processor.
#[derive(Debug)]
pub(super) struct CpuTemperature {
    zones: PathBuf,
}

impl CpuTemperature {
    pub(super) fn new(root: &Path) -> Self {
        Self { zones: root.join("sys/class/thermal") }
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
}

impl Sensor for CpuTemperature {
    fn read(&mut self) -> Reading {
        let zone = self.zone();
        if !zone.exists() {
            return Err(SensorError(format!("{} has no thermal zone", self.zones.display())));
        }
        thousandths(&zone.join("temp")).map(temperature)
    }
}

#[cfg(test)]
mod tests {
    use super::super::put;
    use super::*;

    fn read(root: &Path) -> Result<f64, String> {
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
        put(root.path(), "sys/class/thermal/thermal_zone0/temp", "-1500\n");
        assert_eq!(read(root.path()), Ok(-1.5));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let root = tempfile::tempdir().unwrap();
        assert!(read(root.path()).unwrap_err().contains("has no thermal zone"));
        put(root.path(), "sys/class/thermal/thermal_zone0/temp", "warm\n");
        assert!(read(root.path()).unwrap_err().contains("\"warm\" is not a number"));
    }
}
