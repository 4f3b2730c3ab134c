//! A reboot that the cloud asks for. The agent may not do it: it leaves a file, at which a unit of systemd's reboots.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tracing::error;

/// The file's name in the agent's folder below `/run`, which is gone after the reboot.
const FILE: &str = "reboot";

/// How long answers have to leave.
pub(super) const DELAY: Duration = Duration::from_secs(2);

/// Whether and when.
#[derive(Debug)]
pub(super) struct Reboot {
    file: PathBuf,
    due: Option<Instant>,
}

impl Reboot {
    pub(super) fn new(runtime: &Path) -> Self {
        Self { file: runtime.join(FILE), due: None }
    }

    pub(super) fn ask(&mut self) {
        self.due.get_or_insert_with(|| Instant::now() + DELAY);
    }

    /// Asks systemd once it is time.
    pub(super) fn tend(&mut self, now: Instant) {
        if self.due.is_some_and(|due| due <= now) {
            self.due = None;
            if let Err(error) = std::fs::write(&self.file, "") {
                error!(file = %self.file.display(), %error, "cannot ask for a reboot");
            }
        }
    }
}
