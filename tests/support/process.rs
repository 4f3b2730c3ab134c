//! Child processes that never outlive their test.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};

/// A program to start: the tests' one door to it.
#[expect(clippy::disallowed_methods, reason = "the builder's own runner is what is being tested")]
pub(crate) fn command(program: &str) -> Command {
    Command::new(program)
}

/// The project's own Python, with the judges that `make setup` puts there.
pub(crate) fn python() -> PathBuf {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/venv");
    let venv = std::env::var_os("IMGBUILD_VENV").map_or(target, Into::into);
    venv.join("bin/python")
}

/// A running program, which is killed when it is dropped, on panic too.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    /// Starts it.
    #[track_caller]
    pub(crate) fn start(command: &mut Command) -> Self {
        match command.spawn() {
            Ok(child) => Self(child),
            Err(error) => panic!("starting {}: {error}", command.get_program().display()),
        }
    }

    /// Sends a signal, by number.
    pub(crate) fn signal(&self, signal: &str) {
        let status = command("kill").args([signal, &self.0.id().to_string()]).status();
        assert!(status.unwrap().success(), "kill {signal}");
    }

    /// Kills it, as a power cut would, and waits until it is gone.
    pub(crate) fn kill(mut self) {
        self.end();
    }

    /// Asks it to end, and says with what exit code it did.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        self.signal("-TERM");
        self.wait()
    }

    /// Waits for its end, and says with what exit code it came.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        super::wait_for("the process to end", || self.0.try_wait().unwrap()).code()
    }

    /// Has it ended by itself?
    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    fn end(&mut self) {
        // it may have ended already
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}
