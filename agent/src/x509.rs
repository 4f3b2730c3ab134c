//! From when until when a certificate is valid: the one thing of a certificate that people are told and
//! rustls keeps to itself. Nothing here decides about trust.

use std::time::Duration;

use crate::clock::{Utc, days_to};

/// When a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// Not before this.
    pub from: Utc,
    /// Not after this.
    pub until: Utc,
}

impl Validity {
    /// Reads it from a certificate in DER; none if that is no certificate.
    ///
    /// RFC 5280, section 4.1: a certificate is a sequence that begins with a sequence of version (tag
    /// 0xa0, may be missing), serial number, signature algorithm, issuer, and then the validity.
    pub fn of(certificate: &[u8]) -> Option<Self> {
        let certificate = Element::first(certificate)?.0.inside(SEQUENCE)?;
        let mut rest = Element::first(certificate)?.0.inside(SEQUENCE)?;
        if Element::first(rest)?.0.tag == VERSION {
            rest = Element::first(rest)?.1;
        }
        for _ in ["serial number", "signature algorithm", "issuer"] {
            rest = Element::first(rest)?.1;
        }
        let validity = Element::first(rest)?.0.inside(SEQUENCE)?;
        let (from, rest) = Element::first(validity)?;
        let (until, _) = Element::first(rest)?;
        Some(Self { from: time(&from)?, until: time(&until)? })
    }
}

const VERSION: u8 = 0xa0;
const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// One element of DER: a tag and what it holds.
struct Element<'a> {
    tag: u8,
    content: &'a [u8],
}

impl<'a> Element<'a> {
    /// The first element, and what comes after it.
    fn first(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (&[tag, length], rest) = bytes.split_first_chunk::<2>()?;
        let (length, rest) = match length {
            0..=0x7f => (usize::from(length), rest),
            0x81..=0x84 => {
                let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
                let length = digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit));
                (length, rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        Some((Self { tag, content }, rest))
    }

    fn inside(&self, tag: u8) -> Option<&'a [u8]> {
        (self.tag == tag).then_some(self.content)
    }
}

/// `YYMMDDhhmmssZ`, where YY below 50 is in this century, or `YYYYMMDDhhmmssZ`.
fn time(element: &Element<'_>) -> Option<Utc> {
    let text = std::str::from_utf8(element.content).ok()?.strip_suffix('Z')?;
    let (year, rest) = text.split_at_checked(text.len().checked_sub(10)?)?;
    let year = match (element.tag, year.parse::<u64>().ok()?) {
        (UTC_TIME, year @ 0..50) => 2000 + year,
        (UTC_TIME, year @ 50..100) => 1900 + year,
        (GENERALIZED_TIME, year) => year,
        _ => return None,
    };
    let field = |index: usize| rest.get(2 * index..2 * index + 2)?.parse::<u64>().ok();
    let days = days_to(year, field(0)?, field(1)?)?;
    let seconds = (field(2)? * 60 + field(3)?) * 60 + field(4)?;
    Some(Utc(Duration::from_secs(days * 86_400 + seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dates_of_a_certificate_are_found() {
        let key = rcgen::KeyPair::generate().unwrap();
        for (from, until) in [(2019, 2049), (1975, 2050), (2020, 2160)] {
            let mut params = rcgen::CertificateParams::new(["broker.example".into()]).unwrap();
            params.not_before = rcgen::date_time_ymd(from, 2, 28);
            params.not_after = rcgen::date_time_ymd(until, 3, 1);
            let certificate = params.self_signed(&key).unwrap();
            let validity = Validity::of(certificate.der()).unwrap();
            assert_eq!(validity.from.to_string(), format!("{from}-02-28 00:00 UTC"));
            assert_eq!(validity.until.to_string(), format!("{until}-03-01 00:00 UTC"));
        }
    }

    #[test]
    fn what_is_no_certificate_has_no_dates() {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(["broker.example".into()]).unwrap();
        let der = params.self_signed(&key).unwrap().der().to_vec();
        for length in 0..der.len() {
            assert_eq!(Validity::of(&der[..length]), None);
        }
        for index in 0..80 {
            let mut broken = der.clone();
            broken[index] ^= 0xff;
            let _ = Validity::of(&broken); // whatever it says, it returns
        }
        assert_eq!(Validity::of(b"-----BEGIN CERTIFICATE-----"), None);
    }
}
