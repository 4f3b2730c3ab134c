//! The sensors that the agent can read.

use serde::{Deserialize, Serialize};

use crate::values::{I2cAddress, I2cBus};

/// What a sensor is and where it is connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Driver {
    /// Texas Instruments TMP102, and the TMP105 and TMP75, which are read alike.
    Tmp102(Tmp102),
    /// Bosch BME680 and BME688.
    Bme680(Bme680),
    /// The sensors of Raspberry Pi's Sense HAT.
    SenseHat(SenseHat),
    /// The temperature of the processor, as the kernel reports it.
    CpuTemperature(CpuTemperature),
}

impl Driver {
    /// The driver's key in a profile.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Tmp102(_) => "tmp102",
            Self::Bme680(_) => "bme680",
            Self::SenseHat(_) => "sense-hat",
            Self::CpuTemperature(_) => "cpu-temperature",
        }
    }

    /// Where on I²C buses the sensor answers; a board of several sensors answers at several addresses.
    pub fn i2c(&self) -> Vec<(I2cBus, I2cAddress)> {
        match self {
            Self::Tmp102(Tmp102 { bus, address }) | Self::Bme680(Bme680 { bus, address }) => {
                vec![(*bus, *address)]
            }
            Self::SenseHat(_) => {
                SenseHat::ADDRESSES.map(|address| (I2cBus::HEADER, I2cAddress::new(address))).into()
            }
            Self::CpuTemperature(_) => Vec::new(),
        }
    }
}

/// Where a TMP102 is connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "profile", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Tmp102 {
    /// The bus; `i2c-1` is on the header.
    #[serde(default = "Tmp102::default_bus")]
    pub bus: I2cBus,
    /// The address, `0x48` to `0x4b`, as the chip's ADD0 pin is wired.
    #[serde(default = "Tmp102::default_address")]
    pub address: I2cAddress,
}

impl Tmp102 {
    fn default_bus() -> I2cBus {
        I2cBus::HEADER
    }

    fn default_address() -> I2cAddress {
        I2cAddress::new(0x48)
    }
}

/// Where a BME680 is connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "profile", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Bme680 {
    /// The bus; `i2c-1` is on the header.
    #[serde(default = "Bme680::default_bus")]
    pub bus: I2cBus,
    /// The address: `0x76`, or `0x77` with the chip's SDO pin high.
    #[serde(default = "Bme680::default_address")]
    pub address: I2cAddress,
}

impl Bme680 {
    fn default_bus() -> I2cBus {
        I2cBus::HEADER
    }

    fn default_address() -> I2cAddress {
        I2cAddress::new(0x76)
    }
}

/// The sensors of a Sense HAT, which can only be where they are: nothing to say about them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "profile", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SenseHat {}

impl SenseHat {
    /// Its magnetometer, its lights and joystick, its pressure and humidity sensors, its gyroscope.
    const ADDRESSES: [u8; 5] = [0x1c, 0x46, 0x5c, 0x5f, 0x6a];
}

/// The processor's own sensor: nothing to say about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "profile", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CpuTemperature {}
