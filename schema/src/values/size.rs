use std::fmt;
use std::str::FromStr;

use super::{InvalidValue, refuse, serde_as_text};

/// An amount of data: a number and a unit, `512KiB`, `64MiB`, `1GiB`, or `100B`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(u64);

/// Units with their size in bytes, largest first.
const UNITS: [(&str, u64); 7] = [
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1_000),
    ("B", 1),
];

impl ByteSize {
    /// An amount of bytes.
    pub const fn from_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// An amount of mebibytes.
    pub const fn from_mib(mebibytes: u64) -> Self {
        Self(mebibytes << 20)
    }

    /// The amount in bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for ByteSize {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = text.split_at(digits);
        if number.is_empty() || unit.is_empty() {
            refuse!("`{text}` is not a size; write a number and a unit, such as `64MiB`");
        }
        let Some((_, size)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            refuse!(
                "`{unit}` is not a unit of size; the units are B, KiB, MiB, GiB, kB, MB and GB"
            );
        };
        match number.parse::<u64>().ok().and_then(|number| number.checked_mul(*size)) {
            Some(bytes) => Ok(Self(bytes)),
            None => refuse!("`{text}` is larger than can be counted"),
        }
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, size) = UNITS
            .into_iter()
            .find(|(_, size)| self.0 > 0 && self.0.is_multiple_of(*size))
            .unwrap_or(("B", 1));
        write!(f, "{}{unit}", self.0 / size)
    }
}

serde_as_text!(ByteSize);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_written_as_it_was_read() {
        for text in ["0B", "100B", "1kB", "512KiB", "64MiB", "1GiB", "32GB"] {
            assert_eq!(text.parse::<ByteSize>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["64", "MiB", "64 MiB", "1.5GiB", "64mib", "99999999999999GiB"] {
            assert!(text.parse::<ByteSize>().is_err(), "{text}");
        }
    }
}
