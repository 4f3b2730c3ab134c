use std::io::{IsTerminal, Write};

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

/// Is the standard error a terminal that takes colours?
pub(super) fn takes_colour() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !refused && is_terminal()
}
