use std::io::{ErrorKind, IsTerminal, Write};

use anyhow::Context;

/// What is told beside the data, and how much of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    quiet: bool,
    verbose: bool,
}

impl Output {
    pub(super) fn new(quiet: bool, verbose: bool) -> Self {
        Self { quiet, verbose }
    }

    /// Is nothing to be told?
    pub(super) fn is_quiet(self) -> bool {
        self.quiet
    }

    /// How the work goes.
    pub(super) fn progress(self, text: &str) {
        if !self.quiet {
            say(text);
        }
    }

    /// How the work goes, for those who want to know.
    pub(super) fn detail(self, text: &str) {
        if self.verbose {
            say(text);
        }
    }
}

/// Is the standard error a terminal?
pub(super) fn is_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// Tells something that must be seen.
pub(super) fn say(text: &str) {
    // nobody can be told that nobody listens
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Prints what was read out of an image, without what a terminal would obey.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    data(&harmless(text))
}

/// A text without what a terminal would obey.
pub(super) fn harmless(text: &str) -> String {
    let obeyed = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    text.replace(obeyed, "\u{FFFD}")
}

/// Nobody reads the standard output any more, as after `| head`: they have what they wanted.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads what is printed")]
pub(super) struct Closed;

/// Prints data as they are.
pub(super) fn data(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Closed.into()),
        written => written.context("printing what was found"),
    }
}

/// Is the standard error a terminal that takes colours?
pub(super) fn takes_colour() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !refused && is_terminal()
}
