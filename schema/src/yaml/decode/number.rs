use super::{Decoder, Failure};
use crate::problem::{Code, Problem};

impl Decoder<'_> {
    /// A number without quotes, as `parse` reads it.
    pub(super) fn number<T>(
        self,
        wanted: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, Failure> {
        let scalar = self.scalar(wanted)?;
        let refuse = |wanted: &str| {
            let problem = Problem::new(Code::WrongType, None, format!("this is not {wanted}"));
            Failure::new(problem.label(format!("should be {wanted}"))).at(self.node.span)
        };
        match parse(&scalar.text) {
            Some(_) if !scalar.plain => {
                let problem = Problem::new(Code::WrongType, None, "a number has no quotes");
                let problem = problem.label(format!("should be {wanted}, without quotes"));
                Err(Failure::new(problem).at(self.node.span))
            }
            Some(number) => Ok(number),
            None if scalar.is_null() => Err(self.wrong(wanted)),
            None => Err(refuse(wanted)),
        }
    }
}

/// A whole number: decimal, `0x` or `0o` (YAML 1.2, core schema).
pub(super) fn whole(text: &str) -> Option<i128> {
    let (radix, digits) = match text.split_at_checked(2) {
        Some(("0x", digits)) => (16, digits),
        Some(("0o", digits)) => (8, digits),
        _ => (10, text),
    };
    // the standard library would take a sign after the prefix
    if radix != 10 && digits.starts_with(['+', '-']) {
        return None;
    }
    i128::from_str_radix(digits, radix).ok()
}

/// A number with or without a fraction; not one of the words that the standard library knows.
pub(super) fn fraction(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|c| c.is_ascii_digit() || b"+-.eE".contains(&c));
    text.parse().ok().filter(|_| plain)
}
