use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Sp;
use crate::values::{DeviceId, Keyboard, Locale, Timezone};

/// Who the device is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Its name at the cloud: MQTT client id, thing name, IoT Hub device id.
    pub id: Sp<DeviceId>,
    /// Which Raspberry Pi it is.
    pub model: Sp<Model>,
    /// Its name on the network; a template of `device.id`. Left out: the id.
    #[serde(default)]
    #[schemars(example = &"greenhouse-01")]
    pub hostname: Option<Sp<String>>,
    /// Its time zone. Left out: `UTC`.
    #[serde(default)]
    pub timezone: Option<Sp<Timezone>>,
    /// Its language. Left out: `C.UTF-8`.
    #[serde(default)]
    pub locale: Option<Sp<Locale>>,
    /// The layout of a keyboard plugged into it, such as `gb` or `us`. Left out: `us`.
    #[serde(default)]
    pub keyboard: Option<Sp<Keyboard>>,
}

/// A model of Raspberry Pi.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum Model {
    /// Raspberry Pi Zero and Zero W.
    #[serde(rename = "pi-zero-w")]
    PiZeroW,
    /// Raspberry Pi 1.
    #[serde(rename = "pi-1")]
    Pi1,
    /// Raspberry Pi 2.
    #[serde(rename = "pi-2")]
    Pi2,
    /// Raspberry Pi 3.
    #[serde(rename = "pi-3")]
    Pi3,
    /// Raspberry Pi Zero 2 W.
    #[serde(rename = "pi-zero-2-w")]
    PiZero2W,
    /// Raspberry Pi 4.
    #[serde(rename = "pi-4")]
    Pi4,
    /// Raspberry Pi 5.
    #[serde(rename = "pi-5")]
    Pi5,
}

impl Model {
    /// Every model.
    pub const ALL: [Self; 7] =
        [Self::PiZeroW, Self::Pi1, Self::Pi2, Self::Pi3, Self::PiZero2W, Self::Pi4, Self::Pi5];

    /// The model as a profile names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PiZeroW => "pi-zero-w",
            Self::Pi1 => "pi-1",
            Self::Pi2 => "pi-2",
            Self::Pi3 => "pi-3",
            Self::PiZero2W => "pi-zero-2-w",
            Self::Pi4 => "pi-4",
            Self::Pi5 => "pi-5",
        }
    }

    /// Can its processor run the programs of `architecture`? The first revision of the Pi 2 is a
    /// 32-bit board, so the model as a whole counts as one.
    pub const fn runs(self, architecture: Architecture) -> bool {
        match self {
            Self::PiZeroW | Self::Pi1 => matches!(architecture, Architecture::Armel),
            Self::Pi2 => matches!(architecture, Architecture::Armel | Architecture::Armhf),
            Self::Pi3 | Self::PiZero2W | Self::Pi4 | Self::Pi5 => true,
        }
    }
}

/// A Debian architecture that a Raspberry Pi may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Architecture {
    /// 64-bit ARM.
    Arm64,
    /// 32-bit ARM from version 7 on.
    Armhf,
    /// 32-bit ARM from version 6 on: Debian's armel, and Raspberry Pi OS' armhf, which is built for
    /// version 6.
    Armel,
}

impl Architecture {
    /// The name that Debian gives it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::Armhf => "armhf",
            Self::Armel => "armel",
        }
    }
}
