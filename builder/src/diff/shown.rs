//! Differences for people.

use std::fmt;

use super::{Change, Difference};

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, path, change, details, text } = self;
        let verb = match change {
            Change::Added => "added",
            Change::Removed => "removed",
            Change::Changed => "changed",
        };
        let partition = partition.unwrap_or("image");
        write!(f, "{partition} {verb:<7} {path}: {}", details.join("; "))?;
        for line in text.iter().flat_map(|text| text.lines()) {
            write!(f, "\n  {line}")?;
        }
        Ok(())
    }
}
