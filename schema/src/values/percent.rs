use std::fmt;
use std::str::FromStr;

use super::{InvalidValue, digits, refuse, serde_as_text};

/// A share from `0%` to `100%`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(u8);

impl Percent {
    /// A share of `percent` hundredths; the caller vouches that it is at most 100.
    pub(crate) const fn new(percent: u8) -> Self {
        assert!(percent <= 100, "a share is at most the whole");
        Self(percent)
    }

    /// The share as a factor from 0.0 to 1.0.
    pub fn factor(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}

impl FromStr for Percent {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        match text.strip_suffix('%').and_then(digits) {
            Some(percent @ 0..=100) => Ok(Self(percent)),
            _ => refuse!("`{text}` is not a share; write `0%` to `100%`"),
        }
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

serde_as_text!(Percent);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_has_its_sign_and_ends_at_the_whole() {
        assert_eq!("50%".parse::<Percent>().unwrap().factor().to_string(), "0.5");
        for text in ["50", "101%", "-1%", "%", "0.5"] {
            assert!(text.parse::<Percent>().is_err(), "{text}");
        }
    }
}
