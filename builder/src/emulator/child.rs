//! A process that goes on beside us and ends with the value that stands for it.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Sender, SyncSender};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::tool::Tool;

/// How often a process or a file is looked at while waiting for it.
pub(super) const GLANCE: Duration = Duration::from_millis(50);

/// A process that ended before it was told to.
#[derive(Debug, thiserror::Error)]
pub struct Died {
    /// What it was.
    pub title: String,
    /// How it ended.
    pub status: ExitStatus,
    /// The last lines of its standard error.
    pub complaint: String,
    /// The last lines that the console showed, if it had one.
    pub console: Vec<String>,
}

impl fmt::Display for Died {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ended: {}", self.title, self.status)?;
        if !self.complaint.is_empty() {
            write!(f, ": {}", self.complaint)?;
        }
        for line in &self.console {
            write!(f, "\n  console: {line}")?;
        }
        Ok(())
    }
}

/// A child process. Dropping it kills it and waits for its end.
#[derive(Debug)]
pub(super) struct Child {
    watch: Watch,
}

impl Child {
    /// Starts `tool`; its standard error goes to the file `stderr`. `title` is what it is.
    pub(super) fn start(
        tool: &Tool,
        title: &str,
        stderr: &Path,
        prepare: impl FnOnce(&mut Command),
    ) -> Result<Self> {
        let mut command = leashed(tool.command()?, title);
        let log = File::create(stderr).with_context(|| format!("making {}", stderr.display()))?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        // Ctrl-C is for us: who ends the child, and in what order, is decided here
        command.process_group(0);
        prepare(&mut command);
        let process = spawn(command).with_context(|| format!("starting {title}"))?;
        let watch = Watch {
            title: title.to_owned(),
            process: Arc::new(Mutex::new(process)),
            stderr: stderr.to_owned(),
        };
        Ok(Self { watch })
    }

    /// Someone else's eye on the process.
    pub(super) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Waits for the end of a process that has been told to; kills it if it does not listen.
    pub(super) fn wait_or_kill(&self, patience: Duration) -> Result<()> {
        let deadline = Instant::now() + patience;
        while self.watch.ended().is_none() {
            if Instant::now() > deadline {
                return self.kill();
            }
            thread::sleep(GLANCE);
        }
        Ok(())
    }

    /// Ends the process at once (SIGKILL) and waits until it is gone.
    pub(super) fn kill(&self) -> Result<()> {
        let mut process = self.watch.lock();
        // the process id stays ours until wait() has returned, so this can hit nobody else
        process
            .kill()
            .and_then(|()| process.wait())
            .with_context(|| format!("ending {}", self.watch.title))?;
        Ok(())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // nothing more can be done about a process that refuses SIGKILL
        let _ = self.kill();
    }
}

/// Tells whether a child process lives, without owning it.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    title: String,
    process: Arc<Mutex<process::Child>>,
    stderr: PathBuf,
}

impl Watch {
    /// How the process ended, if it has.
    pub(super) fn ended(&self) -> Option<ExitStatus> {
        self.lock().try_wait().ok().flatten()
    }

    /// The account of an early end, if it has ended.
    pub(super) fn died(&self, console: Vec<String>) -> Option<Died> {
        let status = self.ended()?;
        Some(Died { title: self.title.clone(), status, complaint: self.complaint(), console })
    }

    fn complaint(&self) -> String {
        let text = fs::read(&self.stderr).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> =
            text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        lines[lines.len().saturating_sub(5)..].join("; ")
    }

    fn lock(&self) -> MutexGuard<'_, process::Child> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same call under `setpriv`, which has the kernel end it when we are killed outright. A machine
/// without util-linux does without.
fn leashed(command: Command, title: &str) -> Command {
    Tool::new("setpriv", title)
        .args(["--pdeathsig", "KILL", "--"])
        .arg(command.get_program())
        .args(command.get_args())
        .command()
        .unwrap_or(command)
}

type Order = (Command, SyncSender<io::Result<process::Child>>);

/// The thread that starts every child. "When the parent dies" means the thread that started it, to the
/// kernel, so this must be one that stays as long as the process.
static NURSERY: LazyLock<Sender<Order>> = LazyLock::new(|| {
    let (orders, inbox) = mpsc::channel::<Order>();
    thread::spawn(move || {
        for (mut command, reply) in inbox {
            // whoever asked may be gone; then the child is dropped unstarted or ends with us
            let _ = reply.send(command.spawn());
        }
    });
    orders
});

fn spawn(command: Command) -> Result<process::Child> {
    let (reply, answer) = mpsc::sync_channel(1);
    NURSERY.send((command, reply)).context("the thread that starts children is gone")?;
    Ok(answer.recv().context("the thread that starts children is gone")??)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper(folder: &Path) -> Child {
        let tool = Tool::new("sleep", "resting").arg("60");
        Child::start(&tool, "the sleeper", &folder.join("log"), |_| {}).unwrap()
    }

    #[test]
    fn a_dropped_child_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let child = sleeper(folder.path());
        let process = PathBuf::from(format!("/proc/{}", child.watch.lock().id()));
        assert!(process.exists());
        drop(child);
        assert!(!process.exists());
    }

    #[test]
    fn a_child_outlives_the_thread_that_asked_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let child = thread::spawn(move || sleeper(&path)).join().unwrap();
        thread::sleep(Duration::from_millis(100));
        assert_eq!(child.watch.ended(), None);
    }

    #[test]
    fn an_early_end_is_told_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let tool = Tool::new("sh", "trying").args(["-c", "echo no such bus >&2; exit 1"]);
        let child =
            Child::start(&tool, "the emulator", &folder.path().join("log"), |_| {}).unwrap();
        child.wait_or_kill(Duration::from_secs(10)).unwrap();
        let died = child.watch.died(vec!["Booting Linux".into()]).unwrap();
        assert_eq!(
            died.to_string(),
            "the emulator ended: exit status: 1: no such bus\n  console: Booting Linux"
        );
    }
}
