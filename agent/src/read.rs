//! `imgbuild-agent read`: every sensor once, to look at.

use std::io::{self, Write};
use std::path::Path;

use imgbuild_schema::CardProfile;

use crate::clock::Clock;
use crate::record::{Record, Stamp};
use crate::sensor;

/// Reads every sensor and writes what it says, one record a line. The number is 0, for nothing is
/// published. Returns whether every sensor answered.
pub fn read(
    profile: &CardProfile,
    root: &Path,
    clock: &dyn Clock,
    output: &mut impl Write,
) -> io::Result<bool> {
    let mut all = true;
    for (index, sensor) in profile.sensors.iter().enumerate() {
        let stamp = Stamp::at(clock.boot());
        let reading = sensor::sensor(&sensor.driver, root).read();
        all &= reading.is_ok();
        let record = Record { sequence: 0, sensor: index, stamp, reading };
        let (device, quantities) = (profile.device.id.as_str(), sensor::quantities(&sensor.driver));
        let utc = clock.utc_at(stamp.boot);
        writeln!(output, "{}", record.json(device, sensor.id.as_str(), quantities, utc))?;
    }
    Ok(all)
}
