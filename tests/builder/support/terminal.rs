use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use crate::shared::process::Process;
use crate::shared::wait_for;

/// A terminal with a program on it, and a person who waits for a question before answering it.
pub(crate) struct Terminal {
    keyboard: File,
    screen: Arc<Mutex<Vec<u8>>>,
    /// How much of the screen was read already.
    read: usize,
    process: Process,
}

impl Terminal {
    pub(crate) fn start(command: &mut Command) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_bytes();
        let name = PathBuf::from(std::ffi::OsString::from_vec(name));
        let side = || Stdio::from(File::options().read(true).write(true).open(&name).unwrap());
        let process = Process::start(command.stdin(side()).stdout(side()).stderr(side()));
        // the program's side is its own alone: its end is seen as the end of the screen
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let keyboard = File::from(master);
        let screen = Arc::<Mutex<Vec<u8>>>::default();
        let (mut source, sink) = (keyboard.try_clone().unwrap(), Arc::clone(&screen));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = source.read(&mut bytes) {
                sink.lock().unwrap().extend_from_slice(&bytes[..length]);
            }
        });
        Self { keyboard, screen, read: 0, process }
    }

    /// Everything that was on the screen.
    pub(crate) fn screen(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().unwrap()).into_owned()
    }

    /// Waits until the screen shows a text that was not waited for yet.
    #[track_caller]
    pub(crate) fn expect(&mut self, text: &str) {
        let end = wait_for(&format!("`{text}` on the terminal"), || {
            let screen = self.screen.lock().unwrap();
            let found =
                screen[self.read..].windows(text.len()).position(|it| it == text.as_bytes());
            found.map(|at| self.read + at + text.len())
        });
        self.read = end;
    }

    /// Waits for a question and answers it.
    #[track_caller]
    pub(crate) fn answer(&mut self, question: &str, answer: &str) {
        self.expect(question);
        self.press(&format!("{answer}\r"));
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Does the terminal show what is typed?
    pub(crate) fn echoes(&self) -> bool {
        tcgetattr(&self.keyboard).unwrap().local_modes.contains(LocalModes::ECHO)
    }

    /// Waits for the program's end and says with what exit code it came.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        self.process.wait()
    }
}
