use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Sp;
use crate::values::{Gpio, HumanDuration, SensorId};

/// Something that people or things do to the device.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Its name in topics and messages.
    pub id: Sp<SensorId>,
    /// A push button, a door contact, or another switch: one press, one message.
    pub button: Sp<Button>,
}

/// A switch between a pin and ground, or between a pin and 3.3 V.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Button {
    /// The pin, as the chip counts it.
    pub gpio: Sp<Gpio>,
    /// Where the pin rests while nothing is pressed: `up` for a switch to ground.
    #[serde(default)]
    pub pull: Pull,
    /// How long contacts bounce.
    #[serde(default = "Button::default_debounce")]
    pub debounce: Sp<HumanDuration>,
}

impl Button {
    fn default_debounce() -> Sp<HumanDuration> {
        Sp::implied(HumanDuration::from_millis(20))
    }
}

/// The resistor of a pin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Pull {
    /// To 3.3 V.
    #[default]
    Up,
    /// To ground.
    Down,
    /// None: there is one on the board.
    None,
}

/// Something that the device does to the world.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Its name in commands.
    pub id: Sp<SensorId>,
    /// A light, or a relay: on or off.
    pub led: Sp<Led>,
    /// What the device shows with it by itself. Left out: nothing, it is for commands.
    #[serde(default)]
    pub shows: Option<Shows>,
}

/// A light at a pin.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Led {
    /// The pin, as the chip counts it.
    pub gpio: Sp<Gpio>,
    /// The level at which it is on.
    #[serde(default)]
    pub active: Level,
}

/// A level of a pin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// 3.3 V.
    #[default]
    High,
    /// Ground.
    Low,
}

/// What a light shows by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Shows {
    /// How far the device is on its way to the cloud.
    Link,
}
