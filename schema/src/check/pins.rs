//! Two uses of one pin.

use std::collections::HashMap;

use crate::profile::Profile;
use crate::sensor::Driver;
use crate::values::{Gpio, I2cBus};
use crate::{Code, Problem, Span};

/// One use of a pin: which, for what, and where the profile says so.
struct Use {
    pin: u8,
    what: String,
    span: Option<Span>,
}

pub(super) fn check(profile: &Profile, problems: &mut Vec<Problem>) {
    let mut uses: HashMap<u8, Use> = HashMap::new();
    for taken in buses(profile).into_iter().chain(own(profile)) {
        let Some(first) = uses.get(&taken.pin) else {
            uses.insert(taken.pin, taken);
            continue;
        };
        // several sensors share a bus's pins
        if first.what == taken.what {
            continue;
        }
        problems.push(
            Problem::new(
                Code::Collision,
                taken.span,
                format!("two uses of GPIO {}: {} and {}", taken.pin, first.what, taken.what),
            )
            .label("taken already")
            .related(first.span, first.what.clone())
            .help("connect one of them to another pin"),
        );
    }
}

/// The pins that sensors take.
fn buses(profile: &Profile) -> Vec<Use> {
    let mut uses = Vec::new();
    for driver in profile.sensors.iter().flat_map(|sensor| sensor.drivers()) {
        let span = driver.span();
        if driver.i2c().iter().any(|(bus, _)| *bus == I2cBus::HEADER) {
            let what = "the bus i2c-1".to_owned();
            uses.extend([2, 3].map(|pin| Use { pin, what: what.clone(), span }));
        }
        if matches!(*driver, Driver::SenseHat(_)) {
            uses.push(Use { pin: 23, what: "the Sense HAT's joystick".into(), span });
        }
    }
    uses
}

fn own(profile: &Profile) -> Vec<Use> {
    let pin =
        |gpio: &crate::Sp<Gpio>, what: String| Use { pin: gpio.get(), what, span: gpio.span() };
    let inputs = profile.inputs.iter();
    let inputs = inputs.map(|input| pin(&input.button.gpio, format!("the input `{}`", *input.id)));
    let outputs = profile.outputs.iter();
    let outputs =
        outputs.map(|output| pin(&output.led.gpio, format!("the output `{}`", *output.id)));
    inputs.chain(outputs).collect()
}
