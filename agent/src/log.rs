//! The log: one line an event, on standard error.
//!
//! Under systemd a line begins with its priority (`<4>`), which the journal takes off; elsewhere with
//! its level in words. There is no time in it: the journal has its own, and at boot there is no right one.

use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Writes the agent's own events; the libraries' would say more than anybody asked.
#[derive(Debug)]
pub struct Log {
    most: LevelFilter,
    journal: bool,
}

impl Log {
    /// A log of events up to a level, in the journal's form if standard error leads there.
    pub fn new(most: LevelFilter) -> Self {
        Self { most, journal: leads_to_journal() }
    }

    /// From here on events of this process come here.
    pub fn install(self) {
        // it fails only if there is a log already, which will do
        let _ = tracing::subscriber::set_global_default(self);
    }
}

/// systemd names the journal's socket by device and inode (systemd.exec, `JOURNAL_STREAM`).
fn leads_to_journal() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    std::fs::metadata("/proc/self/fd/2")
        .is_ok_and(|stderr| format!("{}:{}", stderr.dev(), stderr.ino()) == stream)
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.most && metadata.target().starts_with("imgbuild")
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.most)
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::new(*event.metadata().level(), self.journal);
        event.record(&mut line);
        // a log that cannot be written has nowhere to say so
        let _ = std::io::stderr().lock().write_all(line.finish().as_bytes());
    }

    // spans are not used
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// A line while it is written: its head, the message, then `name=value` for each field.
struct Line {
    text: String,
    fields: String,
}

impl Line {
    fn new(level: Level, journal: bool) -> Self {
        let head = match (level, journal) {
            (Level::ERROR, true) => "<3>",
            (Level::WARN, true) => "<4>",
            (Level::INFO, true) => "<6>",
            (_, true) => "<7>",
            (Level::ERROR, false) => "error: ",
            (Level::WARN, false) => "warning: ",
            (Level::INFO, false) => "",
            (Level::DEBUG, false) => "debug: ",
            (_, false) => "trace: ",
        };
        Self { text: head.to_owned(), fields: String::new() }
    }

    fn field(&mut self, name: &str, value: &str) {
        if name == "message" {
            self.text.extend(value.chars().map(|c| if c == '\n' { ' ' } else { c }));
        } else if value.is_empty() || value.contains(|c: char| c.is_whitespace() || c == '"') {
            let _ = write!(self.fields, " {name}={value:?}");
        } else {
            let _ = write!(self.fields, " {name}={value}");
        }
    }

    fn finish(self) -> String {
        self.text + &self.fields + "\n"
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.field(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.field(field.name(), &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_head_message_and_fields() {
        let mut line = Line::new(Level::WARN, true);
        line.field("cause", "connection refused");
        line.field("message", "connection\nlost");
        line.field("queued", "12");
        assert_eq!(line.finish(), "<4>connection lost cause=\"connection refused\" queued=12\n");
        assert_eq!(Line::new(Level::INFO, false).finish(), "\n");
    }
}
