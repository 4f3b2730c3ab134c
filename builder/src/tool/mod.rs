//! Child processes: each has a title for people, and its failure says what was being done.

mod failure;
mod packages;

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use failure::complaint;
pub use failure::{Failed, Missing};
pub(crate) use failure::{foremost, said};
use packages::package_of;
pub use packages::{Package, Standing, packages};

use crate::interrupt::Waited;

/// One call of a program.
#[derive(Debug)]
pub struct Tool {
    title: String,
    program: &'static str,
    arguments: Vec<OsString>,
    environment: Vec<(&'static str, String)>,
    folder: Option<PathBuf>,
    input: Vec<u8>,
    flushes: bool,
}

impl Tool {
    /// A call of `program`; `title` says what for, as in "checking the root file system".
    pub fn new(program: &'static str, title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            program,
            arguments: Vec::new(),
            environment: Vec::new(),
            folder: None,
            input: Vec::new(),
            flushes: true,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// Runs in `folder`.
    #[must_use]
    pub fn folder(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_owned());
        self
    }

    /// Feeds the program's standard input.
    #[must_use]
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// Keeps the program from waiting until the disk has what it writes, by way of `eatmydata`: for work
    /// on a file that is nothing yet.
    #[must_use]
    pub fn without_flushing(mut self) -> Self {
        self.flushes = false;
        self
    }

    /// Runs to the end and returns what the program printed, whatever its exit status.
    pub fn output(self) -> anyhow::Result<Output> {
        let mut child = self
            .command()?
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| self.failed("did not start", &error.to_string()))?;
        let _waited = Waited::on(child.id());
        let mut stdin = child.stdin.take().expect("stdin was asked for as a pipe");
        let input = self.input.clone();
        // fed from its own thread, so that a program that prints before it has read all cannot stall us
        let feeder = std::thread::spawn(move || stdin.write_all(&input));
        let output = child
            .wait_with_output()
            .map_err(|error| self.failed("was lost", &error.to_string()))?;
        // a program may end without reading everything; its status tells whether that was right
        let _ = feeder.join();
        Ok(output)
    }

    /// Runs to the end; anything but exit status 0 is an error. Returns the standard output.
    pub fn run(self) -> anyhow::Result<String> {
        let title = self.title.clone();
        let program = self.program;
        let output = self.output()?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(Failed {
            title,
            program: program.to_owned(),
            how: output.status.to_string(),
            complaint: complaint(&output),
        }
        .into())
    }

    /// The call as the standard library has it, for a process that goes on beside us.
    pub fn command(&self) -> Result<Command, Missing> {
        let program = self.path(self.program)?;
        #[expect(clippy::disallowed_methods, reason = "this is the one place that may")]
        let mut command = if self.flushes {
            Command::new(program)
        } else {
            let mut wrapper = Command::new(self.path("eatmydata")?);
            wrapper.arg(program);
            wrapper
        };
        command
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        Ok(command)
    }

    fn path(&self, program: &str) -> Result<PathBuf, Missing> {
        find(program).ok_or_else(|| Missing {
            title: self.title.clone(),
            program: program.to_owned(),
            package: package_of(program).to_owned(),
        })
    }

    fn failed(&self, how: &str, complaint: &str) -> Failed {
        Failed {
            title: self.title.clone(),
            program: self.program.to_owned(),
            how: how.to_owned(),
            complaint: complaint.to_owned(),
        }
    }
}

/// Where a program lies: on the `PATH`, or in the folders of administration, which a plain user's
/// `PATH` lacks on Debian.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let administration = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(administration)
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tool_is_named_with_its_package() {
        let missing = Missing {
            title: "starting the broker".into(),
            program: "mosquitto".into(),
            package: package_of("mosquitto").into(),
        };
        assert_eq!(
            missing.to_string(),
            "starting the broker: `mosquitto` is not on this machine; the Debian package `mosquitto` brings it"
        );
        assert_eq!(package_of("e2fsck"), "e2fsprogs");
    }

    #[test]
    fn a_failure_says_what_was_being_done() {
        let error = Tool::new("sh", "trying").args(["-c", "echo no room >&2; exit 3"]).run();
        assert_eq!(error.unwrap_err().to_string(), "trying: sh exit status: 3: no room");
    }

    #[test]
    fn a_program_that_reads_nothing_does_not_stall() {
        assert!(Tool::new("true", "trying").input(vec![b'x'; 1 << 20]).run().is_ok());
    }
}
