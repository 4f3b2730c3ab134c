use std::fmt;
use std::str::FromStr;

use super::{InvalidValue, digits, refuse, serde_as_text};

/// How often something happens: `2/s`, `30/min`, or `unlimited`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// As often as it can.
    Unlimited,
    /// So many times in a unit of time.
    Limited {
        /// How many times.
        count: u32,
        /// Seconds of the unit.
        unit: u32,
    },
}

/// Units with their length in seconds.
const UNITS: [(&str, u32); 3] = [("s", 1), ("min", 60), ("h", 3600)];

impl Rate {
    /// Times a second; none if it is not limited.
    pub fn per_second(self) -> Option<f64> {
        match self {
            Self::Unlimited => None,
            Self::Limited { count, unit } => Some(f64::from(count) / f64::from(unit)),
        }
    }
}

impl Default for Rate {
    fn default() -> Self {
        Self::Limited { count: 2, unit: 1 }
    }
}

impl FromStr for Rate {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if text == "unlimited" {
            return Ok(Self::Unlimited);
        }
        let parts = text.split_once('/').and_then(|(count, unit)| {
            let (_, seconds) = UNITS.iter().find(|(name, _)| *name == unit)?;
            Some((digits::<u32>(count)?, *seconds))
        });
        match parts {
            Some((0, _)) => refuse!("`{text}` would never happen; write `1/h` or more"),
            Some((count, unit)) => Ok(Self::Limited { count, unit }),
            None => refuse!("`{text}` is not a rate; write `2/s`, `30/min` or `unlimited`"),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlimited => f.write_str("unlimited"),
            Self::Limited { count, unit } => {
                let name = UNITS.iter().find(|(_, seconds)| seconds == unit).map_or("s", |it| it.0);
                write!(f, "{count}/{name}")
            }
        }
    }
}

serde_as_text!(Rate);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_has_a_count_and_a_unit() {
        assert_eq!("30/min".parse::<Rate>().unwrap().per_second(), Some(0.5));
        assert_eq!("unlimited".parse::<Rate>().unwrap().per_second(), None);
        for text in ["2/s", "1/h", "unlimited"] {
            assert_eq!(text.parse::<Rate>().unwrap().to_string(), text);
        }
        for text in ["2", "/s", "2/d", "0/s", "-1/s", "2/ s", "1.5/s"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }
}
