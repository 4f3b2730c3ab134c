//! What a serial console shows, line by line, each with its time since power-on.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::child::{GLANCE, Watch};
pub use super::shown::Line;
use super::shown::Shown;

/// How long is waited at a time.
const SLICE: Duration = Duration::from_secs(1);

/// How many of the last lines an error shows.
const LAST_LINES: usize = 10;

/// A console that is being followed. Clones see the same one, also after the machine's end.
#[derive(Clone, Debug)]
pub struct Console {
    shared: Arc<Shared>,
}

/// A place in what a console has shown: lines from here on are new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark(usize);

#[derive(Debug)]
struct Shared {
    name: String,
    watch: Watch,
    shown: Mutex<Shown>,
    news: Condvar,
}

impl Console {
    /// Follows `file` until the process that writes it ends. The thread returns when all is read.
    pub(super) fn follow(
        name: &str,
        file: &Path,
        power_on: Instant,
        watch: Watch,
    ) -> Result<(Self, JoinHandle<()>)> {
        let mut file = File::open(file).with_context(|| format!("following {}", file.display()))?;
        let shared = Arc::new(Shared {
            name: name.to_owned(),
            watch,
            shown: Mutex::default(),
            news: Condvar::new(),
        });
        let follower = Arc::clone(&shared);
        let thread = thread::spawn(move || follower.follow(&mut file, power_on));
        Ok((Self { shared }, thread))
    }

    /// Waits until `pattern` is in one line of all that was shown since power-on.
    pub fn wait_for(&self, pattern: &str, timeout: Duration) -> Result<Line> {
        self.wait_from(Mark::default(), pattern, timeout)
    }

    /// Waits until `pattern` is in a line that was shown after `mark` was taken.
    pub fn wait_from(&self, mark: Mark, pattern: &str, timeout: Duration) -> Result<Line> {
        self.wait_for_any(mark, &[pattern], timeout)
    }

    /// Waits until one of `patterns` is in a line that was shown after `mark` was taken.
    pub fn wait_for_any(&self, mark: Mark, patterns: &[&str], timeout: Duration) -> Result<Line> {
        let mut left = timeout;
        let mut next = mark.0;
        let mut shown = self.shared.lock();
        loop {
            if let Some(line) = shown.find(&mut next, patterns) {
                return Ok(line);
            }
            if shown.over {
                drop(shown);
                return Err(self.shared.over(patterns));
            }
            if left.is_zero() {
                let last = shown.last(LAST_LINES).join("\n  ");
                let name = &self.shared.name;
                let wanted = either(patterns);
                bail!("no {wanted} on {name} within {timeout:?}; its last lines:\n  {last}");
            }
            let (since, slice) = (Instant::now(), left.min(SLICE));
            let waited = self.shared.news.wait_timeout(shown, slice);
            shown = waited.unwrap_or_else(PoisonError::into_inner).0;
            // while this machine stood still, so did the emulated one: that is no waiting
            left = left.saturating_sub(since.elapsed().min(2 * SLICE));
        }
    }

    /// Where the console is now.
    pub fn mark(&self) -> Mark {
        Mark(self.shared.lock().lines.len())
    }

    /// The lines from `mark` on, and the mark to go on from.
    pub fn since(&self, mark: Mark) -> (Vec<Line>, Mark) {
        let shown = self.shared.lock();
        (shown.lines.iter().skip(mark.0).cloned().collect(), Mark(shown.lines.len()))
    }

    /// All lines since power-on.
    pub fn lines(&self) -> Vec<Line> {
        self.since(Mark::default()).0
    }

    /// The line that has no end yet, as a prompt has none.
    pub fn prompt(&self) -> Option<Line> {
        self.shared.lock().prompt()
    }

    /// The last lines, a prompt included.
    pub fn last_lines(&self) -> Vec<String> {
        self.shared.lock().last(LAST_LINES)
    }
}

impl Shared {
    fn follow(&self, file: &mut File, power_on: Instant) {
        loop {
            // asked first: what an ended process wrote is all there when we read after it
            let ended = self.watch.ended().is_some();
            let news = read_on(file);
            if !news.is_empty() || ended {
                let mut shown = self.lock();
                shown.add(&news, power_on.elapsed());
                shown.over = ended;
                self.news.notify_all();
            }
            if ended {
                return;
            }
            thread::sleep(GLANCE);
        }
    }

    fn over(&self, patterns: &[&str]) -> anyhow::Error {
        let wanted = either(patterns);
        let console = self.lock().last(LAST_LINES);
        match self.watch.died(console) {
            Some(died) => {
                anyhow::Error::new(died).context(format!("waiting for {wanted} on {}", self.name))
            }
            None => anyhow::anyhow!("{} is over, and never showed {wanted}", self.name),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `"this" or "that"`.
fn either(patterns: &[&str]) -> String {
    let quoted: Vec<String> = patterns.iter().map(|pattern| format!("{pattern:?}")).collect();
    quoted.join(" or ")
}

/// What has been added to the file; nothing if it cannot be read just now.
fn read_on(file: &mut File) -> Vec<u8> {
    let mut news = Vec::new();
    let _: io::Result<usize> = file.read_to_end(&mut news);
    news
}

#[cfg(test)]
mod tests {
    use super::super::child::Child;
    use super::*;
    use crate::tool::Tool;

    const SOON: Duration = Duration::from_secs(10);

    /// A shell that writes what `script` says to the console.
    fn console(script: &str) -> (tempfile::TempDir, Child, Console) {
        let folder = tempfile::tempdir().unwrap();
        let [log, uart] = ["log", "uart0"].map(|name| folder.path().join(name));
        File::create(&uart).unwrap();
        let tool = Tool::new("sh", "pretending").args(["-c", script, "sh"]).arg(&uart);
        let child = Child::start(&tool, "the emulator", &log, |_| {}).unwrap();
        let watch = child.watch().clone();
        let (console, _) = Console::follow("uart0", &uart, Instant::now(), watch).unwrap();
        (folder, child, console)
    }

    #[test]
    fn lines_come_plain_and_a_prompt_needs_no_end() {
        let (_folder, _child, console) = console(
            r"printf '\033[0;32mLinux\033[0m version\r\nwelcome\r\n\r\ntrial login: ' >>$1; sleep 60",
        );
        assert_eq!(console.wait_for("login:", SOON).unwrap().text, "trial login:");
        let texts: Vec<_> = console.lines().into_iter().map(|line| line.text).collect();
        assert_eq!(texts, ["Linux version", "welcome"]);
        assert_eq!(console.wait_for("Linux", SOON).unwrap().text, "Linux version");
    }

    #[test]
    fn a_wait_from_a_mark_wants_something_new() {
        let (folder, _child, console) = console("echo tick 1 >>$1; sleep 60");
        console.wait_for("tick", SOON).unwrap();
        let mark = console.mark();
        assert!(console.wait_from(mark, "tick", Duration::from_millis(200)).is_err());
        std::fs::write(folder.path().join("uart0"), "tick 1\ntick 2\n").unwrap();
        assert_eq!(console.wait_from(mark, "tick", SOON).unwrap().text, "tick 2");
        assert_eq!(console.since(mark).0.len(), 1);
    }

    #[test]
    fn a_wait_in_vain_shows_the_last_lines() {
        let (_folder, _child, console) = console("echo stuck >>$1; sleep 60");
        console.wait_for("stuck", SOON).unwrap();
        let error = console.wait_for("login:", Duration::from_millis(100)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no \"login:\" on uart0 within 100ms; its last lines:\n  stuck"
        );
    }

    #[test]
    fn a_dead_machine_ends_the_wait_at_once() {
        let (_folder, _child, console) = console("echo Booting >>$1; echo no such bus >&2; exit 1");
        let error = console.wait_for("login:", SOON).unwrap_err();
        assert_eq!(
            format!("{error:#}"),
            "waiting for \"login:\" on uart0: the emulator ended: exit status: 1: no such bus\n  console: Booting"
        );
    }
}
