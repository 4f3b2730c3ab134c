//! Texas Instruments TMP102 and the chips that are read alike (TMP105, TMP75).
//!
//! Register 0 holds the temperature in 16 bits, left-justified, two's complement: 12 bits of 0.0625 °C,
//! or 13 in the extended mode of the TMP102, which bit 0 tells (SBOS397, table 3).
//!
//! Bits 5 and 6 of register 1 choose the resolution. The TMP102 always has 12 bits, and both read as one;
//! its relatives wake up with 9 bits, both zero, and are told to use all they have (SBOS288, table 8).

use std::path::{Path, PathBuf};
use std::time::Duration;

use embedded_hal::i2c::I2c;
use imgbuild_schema::sensor;
use linux_embedded_hal::I2cdev;
use linux_embedded_hal::i2cdev::linux::LinuxI2CError;

use super::{Reading, Sensor, SensorError, bus, temperature, thousandths};

const TEMPERATURE: u8 = 0;
const CONFIGURATION: u8 = 1;

/// Twelve bits of resolution.
const FINEST: u8 = 0b0110_0000;

/// How long a chip takes for its first reading of twelve bits, at most.
const CONVERSION: Duration = Duration::from_millis(320);

/// The kernel's number for "another driver has it".
const EBUSY: i32 = 16;

/// Reads one chip, by itself or through the kernel's driver.
pub(super) struct Tmp102 {
    place: sensor::Tmp102,
    root: PathBuf,
    bus: Option<I2cdev>,
}

impl Tmp102 {
    pub(super) fn new(place: sensor::Tmp102, root: &Path) -> Self {
        Self { place, root: root.to_owned(), bus: None }
    }

    /// The kernel's folder for the chip, which is there if a device was declared at its address.
    fn kernel_device(&self) -> PathBuf {
        let bus = bus::name(self.place.bus, &self.root);
        let number = bus.trim_start_matches("i2c-");
        let name = format!("{number}-{:04x}", self.place.address.get());
        self.root.join("sys/bus/i2c/devices").join(name)
    }

    fn read_directly(&mut self) -> Result<f64, SensorError> {
        let address = self.place.address.get();
        let place = format!("{} on {}", self.place.address, self.place.bus);
        let (bus, prepared) = match &mut self.bus {
            Some(bus) => (bus, Ok(false)),
            unopened => {
                let node = self.root.join("dev").join(bus::name(self.place.bus, &self.root));
                let bus = unopened.insert(open(&node)?);
                let prepared = prepare(bus, address);
                (bus, prepared)
            }
        };
        if let Ok(true) = prepared {
            std::thread::sleep(CONVERSION);
        }
        let reading = prepared.and_then(|_| celsius(bus, address));
        let reading = reading.map_err(|error| match error.inner() {
            error if number(error) == Some(EBUSY) => SensorError(format!(
                "a kernel driver owns the address {place}, and it offers no temperature"
            )),
            error => SensorError(format!("no answer from {place}: {}", words(error))),
        });
        if reading.is_err() {
            self.bus = None; // a bus that went away comes back under a new handle
        }
        reading
    }
}

impl Sensor for Tmp102 {
    fn read(&mut self) -> Reading {
        let device = self.kernel_device();
        let celsius = match kernel_reading(&device) {
            Some(file) => thousandths(&file),
            None => self.read_directly(),
        };
        celsius.map(temperature)
    }
}

/// The file in which the kernel's driver gives its reading, if there is such a driver at work.
fn kernel_reading(device: &Path) -> Option<PathBuf> {
    let monitors = std::fs::read_dir(device.join("hwmon")).ok()?;
    monitors.flatten().map(|monitor| monitor.path().join("temp1_input")).find(|file| file.exists())
}

fn open(node: &Path) -> Result<I2cdev, SensorError> {
    I2cdev::new(node).map_err(|error| {
        let remedy = if node.exists() { "" } else { "; is I²C switched on in config.txt?" };
        SensorError(format!("opening {}: {}{remedy}", node.display(), words(&error)))
    })
}

/// Has the chip use all the bits it has. Was there anything to change?
fn prepare<B: I2c>(bus: &mut B, address: u8) -> Result<bool, B::Error> {
    let mut register = [0];
    bus.write_read(address, &[CONFIGURATION], &mut register)?;
    if register[0] & FINEST == FINEST {
        return Ok(false);
    }
    bus.write(address, &[CONFIGURATION, register[0] | FINEST])?;
    Ok(true)
}

/// What the chip at an address says.
fn celsius<B: I2c>(bus: &mut B, address: u8) -> Result<f64, B::Error> {
    let mut register = [0; 2];
    bus.write_read(address, &[TEMPERATURE], &mut register)?;
    Ok(convert(register))
}

fn convert(register: [u8; 2]) -> f64 {
    let extended = register[1] & 1 == 1;
    let steps = i16::from_be_bytes(register) >> if extended { 3 } else { 4 };
    f64::from(steps) * 0.0625
}

fn number(error: &LinuxI2CError) -> Option<i32> {
    match error {
        LinuxI2CError::Errno(number) => Some(*number),
        LinuxI2CError::Io(error) => error.raw_os_error(),
    }
}

/// The kernel's words for its number, without the library's round them.
fn words(error: &LinuxI2CError) -> String {
    match error {
        LinuxI2CError::Errno(number) => std::io::Error::from_raw_os_error(*number).to_string(),
        LinuxI2CError::Io(error) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use embedded_hal::i2c::{ErrorKind, ErrorType, Operation};
    use imgbuild_schema::sensor::Driver;

    use super::super::put;
    use super::*;

    /// A chip with its temperature and its configuration, which answers at 0x48 alone.
    struct Chip([u8; 2], u8);

    impl ErrorType for Chip {
        type Error = ErrorKind;
    }

    impl I2c for Chip {
        fn transaction(
            &mut self,
            address: u8,
            operations: &mut [Operation<'_>],
        ) -> Result<(), ErrorKind> {
            match operations {
                [Operation::Write([TEMPERATURE]), Operation::Read(register)] if address == 0x48 => {
                    register.copy_from_slice(&self.0);
                    Ok(())
                }
                [Operation::Write([CONFIGURATION]), Operation::Read(register)] => {
                    register.copy_from_slice(&[self.1]);
                    Ok(())
                }
                [Operation::Write([CONFIGURATION, configuration])] => {
                    self.1 = *configuration;
                    Ok(())
                }
                _ => Err(ErrorKind::Other),
            }
        }
    }

    #[test]
    fn a_chip_is_told_once_to_use_all_its_bits() {
        let mut relative = Chip([0, 0], 0b0000_0010);
        assert_eq!(prepare(&mut relative, 0x48), Ok(true));
        assert_eq!(relative.1, 0b0110_0010, "and what else was set stays");
        assert_eq!(prepare(&mut relative, 0x48), Ok(false));
    }

    fn tmp102(root: &Path) -> Tmp102 {
        let Driver::Tmp102(place) = imgbuild_schema::yaml::parse("tmp102: {}").unwrap() else {
            panic!("another driver");
        };
        Tmp102::new(place, root)
    }

    #[test]
    fn the_register_is_read_as_the_data_sheet_says() {
        // tables 9 and 10 of the data sheet: normal mode, then extended mode
        for (register, celsius) in [
            ([0x7f, 0xf0], 127.9375),
            ([0x50, 0x00], 80.0),
            ([0x19, 0x00], 25.0),
            ([0x00, 0x40], 0.25),
            ([0x00, 0x00], 0.0),
            ([0xff, 0xc0], -0.25),
            ([0xe7, 0x00], -25.0),
            ([0xc9, 0x00], -55.0),
            ([0x4b, 0x01], 150.0),
            ([0xf3, 0x81], -25.0),
        ] {
            assert_eq!(convert(register).to_bits(), f64::to_bits(celsius), "{register:02x?}");
        }
    }

    #[test]
    fn one_transaction_reads_the_chip_at_its_address() {
        let mut chip = Chip([0x17, 0x90], FINEST);
        assert_eq!(celsius(&mut chip, 0x48).map(f64::to_bits), Ok(f64::to_bits(23.5625)));
        assert_eq!(celsius(&mut chip, 0x49), Err(ErrorKind::Other));
    }

    #[test]
    fn a_chip_that_the_kernel_drives_is_read_through_the_kernel() {
        let root = tempfile::tempdir().unwrap();
        put(root.path(), "sys/bus/i2c/devices/1-0048/hwmon/hwmon3/temp1_input", "23562\n");
        let reading = tmp102(root.path()).read().unwrap();
        assert_eq!(reading, temperature(23.562));
    }

    #[test]
    fn a_bus_that_is_not_there_is_named_with_the_way_out() {
        let root = tempfile::tempdir().unwrap();
        let error = tmp102(root.path()).read().unwrap_err().0;
        assert!(error.contains("/dev/i2c-1: No such file or directory"), "{error}");
        assert!(error.contains("is I²C switched on in config.txt?"), "{error}");
    }
}
