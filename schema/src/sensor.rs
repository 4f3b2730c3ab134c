//! The sensors that the agent can read.

use serde::{Deserialize, Serialize};

use crate::values::{I2cAddress, I2cBus};

/// What a sensor is and where it is connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Driver {
    /// Texas Instruments TMP102, and the TMP105 and TMP75, which are read alike.
    Tmp102(Tmp102),
    /// The temperature of the processor, as the kernel reports it.
    CpuTemperature(CpuTemperature),
}

impl Driver {
    /// The driver's key in a profile.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Tmp102(_) => "tmp102",
            Self::CpuTemperature(_) => "cpu-temperature",
        }
    }

    /// Where on an I²C bus the sensor answers, if it is on one.
    pub fn i2c(&self) -> Option<(I2cBus, I2cAddress)> {
        match self {
            Self::Tmp102(Tmp102 { bus, address }) => Some((*bus, *address)),
            Self::CpuTemperature(_) => None,
        }
    }
}

/// Where a TMP102 is connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// The processor's own sensor: nothing to say about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CpuTemperature {}
