use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{InvalidValue, refuse, serde_as_text};

/// A length of time as people write it: a number and a unit, `500ms`, `10s`, `5min`, `2h`, `30d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HumanDuration(Duration);

/// Units with their length in milliseconds, longest first, so that the first that divides a duration
/// writes it shortest.
const UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000), ("ms", 1)];

impl HumanDuration {
    /// A duration of whole seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// A duration of milliseconds.
    pub const fn from_millis(milliseconds: u64) -> Self {
        Self(Duration::from_millis(milliseconds))
    }

    /// The same length as the standard library's type.
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl FromStr for HumanDuration {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = text.split_at(digits);
        if number.is_empty() {
            refuse!(
                "`{text}` is not a duration; write a number and a unit, such as `10s` or `5min`"
            );
        }
        if unit.is_empty() {
            refuse!("`{text}` has no unit; write `{text}s` for seconds");
        }
        let unit = match unit {
            "m" => "min",
            unit => unit,
        };
        let Some((_, length)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            refuse!("`{unit}` is not a unit of time; the units are ms, s, min, h and d");
        };
        let milliseconds =
            number.parse::<u64>().ok().and_then(|number| number.checked_mul(*length));
        match milliseconds {
            Some(milliseconds) => Ok(Self::from_millis(milliseconds)),
            None => refuse!("`{text}` is longer than can be counted"),
        }
    }
}

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        let (unit, length) = UNITS
            .into_iter()
            .find(|(_, length)| milliseconds > 0 && milliseconds.is_multiple_of(*length))
            .unwrap_or(("s", 1_000));
        write!(f, "{}{unit}", milliseconds / length)
    }
}

serde_as_text!(HumanDuration);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_written_as_it_was_read() {
        for text in ["1ms", "1500ms", "10s", "90s", "5min", "2h", "30d", "0s"] {
            assert_eq!(text.parse::<HumanDuration>().unwrap().to_string(), text);
        }
        assert_eq!("60s".parse::<HumanDuration>().unwrap().to_string(), "1min");
    }

    #[test]
    fn what_is_no_duration_is_refused_with_the_way_out() {
        for (text, reason) in [
            ("10", "write `10s` for seconds"),
            ("", "write a number and a unit"),
            ("-1s", "write a number and a unit"),
            ("1.5s", "`.5s` is not a unit of time"),
            ("3 weeks", "the units are ms, s, min, h and d"),
            ("99999999999999999999s", "longer than can be counted"),
        ] {
            let refusal = text.parse::<HumanDuration>().unwrap_err().to_string();
            assert!(refusal.contains(reason), "{text}: {refusal}");
        }
    }
}
