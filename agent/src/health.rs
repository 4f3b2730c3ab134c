//! How the agent stands, for whoever looks: a file that is always whole, and a line for systemd.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use tracing::warn;

use crate::files;
use crate::outbox::{Outbox, Shared};
use crate::watchdog;

/// The shortest time between two writings.
const PAUSE: Duration = Duration::from_secs(1);

/// What the uplink is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// There is no route yet.
    WaitingForNetwork,
    /// The time is not known yet.
    WaitingForClock,
    /// An attempt is under way.
    Connecting,
    /// Readings go out.
    Connected,
    /// An attempt failed; the next one comes after a pause.
    BackingOff,
    /// The program has ended.
    Stopped,
}

impl State {
    fn words(self) -> &'static str {
        match self {
            Self::WaitingForNetwork => "Waiting for the network",
            Self::WaitingForClock => "Waiting for the right time",
            Self::Connecting => "Connecting",
            Self::Connected => "Connected",
            Self::BackingOff => "Not connected",
            Self::Stopped => "Stopped",
        }
    }
}

/// The file's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Report {
    state: State,
    last_error: Option<String>,
    queued: usize,
    published: u64,
    dropped: u64,
    sequence: u64,
    resident_kb: u64,
}

/// Keeps account of how the agent stands.
#[derive(Debug)]
pub struct Health {
    state: Cell<State>,
    last_error: RefCell<Option<String>>,
    published: Cell<u64>,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            state: Cell::new(State::WaitingForNetwork),
            last_error: RefCell::default(),
            published: Cell::new(0),
        }
    }
}

impl Health {
    /// The uplink is about something else now.
    pub fn enter(&self, state: State) {
        self.state.set(state);
        if matches!(state, State::Connected | State::Stopped) {
            watchdog::status(state.words());
        } else {
            let error = self.last_error.borrow();
            let reason = error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
            watchdog::status(&format!("{}{reason}", state.words()));
        }
    }

    /// Something went wrong. It stays known after it has passed.
    pub fn failed(&self, error: &str) {
        self.last_error.replace(Some(error.to_owned()));
    }

    /// So many more messages have arrived.
    pub fn published(&self, count: u64) {
        self.published.set(self.published.get() + count);
    }

    /// Keeps the file up to date for ever.
    pub async fn keep<O: Outbox>(&self, folder: &Path, outbox: &Shared<O>) {
        let mut file = File::new(folder);
        loop {
            file.update(self.report(outbox));
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Writes the file once.
    pub fn write<O: Outbox>(&self, folder: &Path, outbox: &Shared<O>) {
        File::new(folder).update(self.report(outbox));
    }

    fn report<O: Outbox>(&self, outbox: &Shared<O>) -> Report {
        Report {
            state: self.state.get(),
            last_error: self.last_error.borrow().clone(),
            queued: outbox.len(),
            published: self.published.get(),
            dropped: outbox.dropped(),
            sequence: outbox.highest(),
            resident_kb: resident_kb(),
        }
    }
}

/// The file, and what it says by now.
struct File {
    path: PathBuf,
    written: Option<Report>,
    writable: bool,
}

impl File {
    fn new(folder: &Path) -> Self {
        Self { path: folder.join("status.json"), written: None, writable: true }
    }

    /// Writes the report if it says anything new; how much memory is in use alone is nothing new.
    fn update(&mut self, report: Report) {
        let news = self.written.as_ref().is_none_or(|written| {
            Report { resident_kb: 0, ..written.clone() }
                != Report { resident_kb: 0, ..report.clone() }
        });
        if !news {
            return;
        }
        let folder = self.path.parent().map_or(Ok(()), std::fs::create_dir_all);
        let json = serde_json::to_string(&report).unwrap_or_default() + "\n";
        let written = folder.and_then(|()| files::replace(&self.path, &json));
        if let Err(error) = &written
            && self.writable
        {
            warn!(file = %self.path.display(), %error, "cannot write the health file");
        }
        self.writable = written.is_ok();
        self.written = Some(report);
    }
}

fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::Memory;

    #[test]
    fn the_file_says_how_the_agent_stands() {
        let folder = tempfile::tempdir().unwrap();
        let health = Health::default();
        health.failed("no such host");
        health.enter(State::BackingOff);
        health.published(3);
        health.write(&folder.path().join("imgbuild"), &Shared::new(Memory::new(1000)));
        let text = std::fs::read_to_string(folder.path().join("imgbuild/status.json")).unwrap();
        let resident = resident_kb();
        assert!(resident > 0);
        let text = text.split("\"resident_kb\"").next().unwrap();
        assert_eq!(
            text,
            r#"{"state":"backing-off","last_error":"no such host","queued":0,"published":3,"dropped":0,"sequence":0,"#
        );
    }

    #[test]
    fn a_folder_that_cannot_be_written_does_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        Health::default().write(&folder.path().join("file"), &Shared::new(Memory::new(1000)));
    }
}
