//! Why a program did not do what it was asked, in its own words.

use std::process::Output;

/// A tool that this machine does not have.
#[derive(Debug, thiserror::Error)]
#[error("{title}: `{program}` is not on this machine; the Debian package `{package}` brings it")]
pub struct Missing {
    /// What it was wanted for.
    pub title: String,
    /// The program.
    pub program: String,
    /// The Debian package that brings it.
    pub package: String,
}

/// A tool that ran and did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("{title}: {program} {how}: {complaint}")]
pub struct Failed {
    /// What was being done.
    pub title: String,
    /// The program.
    pub program: String,
    /// How it ended.
    pub how: String,
    /// What it wrote to its standard error.
    pub complaint: String,
}

/// What the system calls a disk that has no room left.
const FULL: &str = "No space left on device";

impl Failed {
    /// Did it fail for want of room on a disk?
    pub fn is_full(&self) -> bool {
        self.complaint.contains(FULL)
    }
}

/// The complaints to be told, of all: a full disk comes first, which has others follow; each once.
pub(crate) fn foremost(complaints: &[&str]) -> String {
    let (full, others): (Vec<&str>, Vec<&str>) =
        complaints.iter().partition(|complaint| complaint.contains(FULL));
    let mut told = if full.is_empty() { others } else { full };
    told.dedup();
    told.truncate(3);
    told.join("; ")
}

/// The last lines a program wrote before it gave up: its errors, else its output.
pub(super) fn complaint(output: &Output) -> String {
    let [errors, others] =
        [&output.stderr, &output.stdout].map(|bytes| String::from_utf8_lossy(bytes));
    let (errors, others) = (said(&errors), said(&others));
    let lines = if errors.is_empty() { others } else { errors };
    lines[lines.len().saturating_sub(5)..].join("; ")
}

/// The lines that a program wrote, but for the banner that those of e2fsprogs begin with, `e2fsck 1.47.0 (5-Feb-2023)`.
pub(crate) fn said(text: &str) -> Vec<&str> {
    let is_banner = |line: &str| {
        let mut programs = ["debugfs 1.", "e2fsck 1.", "dumpe2fs 1.", "resize2fs 1."].iter();
        let rest = programs.find_map(|it| line.strip_prefix(it));
        rest.is_some_and(|rest| rest.ends_with(')') && rest.contains('('))
    };
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !is_banner(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Tool;
    use super::*;

    #[test]
    fn a_full_disk_is_told_before_what_follows_from_it() {
        let complaints = ["/opt: not found", "/opt: not found", "write: No space left on device"];
        assert_eq!(foremost(&complaints), "write: No space left on device");
        assert_eq!(foremost(&complaints[..2]), "/opt: not found");
    }

    #[test]
    fn only_the_banner_is_no_complaint() {
        assert!(said("debugfs 1.47.0 (5-Feb-2023)\n").is_empty());
        assert_eq!(
            said("debugfs 1.47.0 (5-Feb-2023)\nwrite: Could not allocate block\n"),
            ["write: Could not allocate block"]
        );
        assert_eq!(said("debugfs 1.x said something else\n").len(), 1);
        let script = "echo 'e2fsck 1.47.0 (5-Feb-2023)' >&2; echo a wrong count; exit 4";
        let error = Tool::new("sh", "checking").args(["-c", script]).run().unwrap_err();
        assert_eq!(error.to_string(), "checking: sh exit status: 4: a wrong count");
    }
}
