use std::cell::Cell;
use std::io::{IsTerminal, Write};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

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

    /// How the work goes.
    pub(super) fn progress(self, text: &str) {
        if !self.quiet {
            say(text);
        }
    }

    /// A bar for a piece of work, which is seen once there is something to see.
    pub(super) fn bar(self, title: &'static str) -> Bar {
        let target =
            if self.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(None, target);
        let template = "{msg} {wide_bar} {bytes} of {total_bytes}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(title);
        Bar { title, drawn: bar, output: self, begun: Cell::new(false) }
    }

    /// How the work goes, for those who want to know.
    pub(super) fn detail(self, text: &str) {
        if self.verbose {
            say(text);
        }
    }
}

/// How far a long piece of work is: a bar on a terminal, the start alone elsewhere.
#[derive(Debug)]
pub(super) struct Bar {
    title: &'static str,
    drawn: ProgressBar,
    output: Output,
    begun: Cell<bool>,
}

impl Bar {
    /// So many bytes of so many are done.
    pub(super) fn set(&self, done: u64, of: u64) {
        if !self.begun.replace(true) && self.drawn.is_hidden() {
            self.output.progress(&format!("{}…", self.title));
        }
        self.drawn.set_length(of);
        self.drawn.set_position(done);
    }

    /// It is over.
    pub(super) fn finish(&self) {
        self.drawn.finish_and_clear();
    }
}

/// Tells something that must be seen.
pub(super) fn say(text: &str) {
    // nobody can be told that nobody listens
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Prints what was read out of an image, without what a terminal would obey.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let obeyed = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    let text = text.replace(obeyed, "\u{FFFD}");
    std::io::stdout().write_all(text.as_bytes()).context("printing what was found")
}

/// Is the standard error a terminal that takes colours?
pub(super) fn takes_colour() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !refused && std::io::stderr().is_terminal()
}
