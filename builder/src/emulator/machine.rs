//! An emulated Raspberry Pi, put together and switched on.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result};

use super::adapter;
use super::board::{Board, Facts};
use super::card::{BootFiles, Card};
use super::command_line::Additions;
use super::redirect::Redirect;
use super::running::Emulator;
use crate::tool::Tool;

/// The address of the emulated TMP105 if nobody wants another: what such a sensor has by default.
pub const THERMOMETER: u8 = 0x48;

/// What the clock shows when systemd starts. A Pi has none that runs without power.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// The time of the power-on, as if a time server had answered at once.
    #[default]
    Now,
    /// This time.
    At(SystemTime),
    /// What the card makes of it by itself: wrong, until a time server is heard.
    Unset,
}

impl Clock {
    fn at_power_on(self) -> Option<SystemTime> {
        match self {
            Self::Now => Some(SystemTime::now()),
            Self::At(time) => Some(time),
            Self::Unset => None,
        }
    }
}

/// An emulated Pi before it is switched on.
#[derive(Clone, Debug)]
pub struct Machine {
    board: Board,
    card: Card,
    redirect: Option<Redirect>,
    clock: Clock,
    thermometer: u8,
    forwards: Vec<(SocketAddr, SocketAddr)>,
    more: Vec<String>,
}

impl Machine {
    /// A `board` with `card` in it, a TMP105 at [`THERMOMETER`] of its I2C bus, a network, and the clock
    /// right.
    pub fn new(board: Board, card: &Card) -> Self {
        Self {
            board,
            card: card.clone(),
            redirect: None,
            clock: Clock::Now,
            thermometer: THERMOMETER,
            forwards: Vec::new(),
            more: Vec::new(),
        }
    }

    /// A Pi 3.
    pub fn pi3(card: &Card) -> Self {
        Self::new(Board::Pi3, card)
    }

    /// Has the agent connect there instead of to its cloud.
    #[must_use]
    pub fn redirect(mut self, redirect: Redirect) -> Self {
        self.redirect = Some(redirect);
        self
    }

    /// Has the clock show this at boot.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Puts the TMP105 at this address.
    #[must_use]
    pub fn thermometer(mut self, address: u8) -> Self {
        self.thermometer = address;
        self
    }

    /// Passes connections to an address of this machine on to one in the Pi's network, over TCP.
    #[must_use]
    pub fn forward(mut self, here: SocketAddr, there: SocketAddr) -> Self {
        self.forwards.push((here, there));
        self
    }

    /// Adds words to the kernel's command line.
    #[must_use]
    pub fn append(mut self, words: impl Into<String>) -> Self {
        self.more.push(words.into());
        self
    }

    /// Switches it on. Logs and boot files go into a folder of their own in `scratch`, one per boot.
    pub fn start(&self, scratch: &Path) -> Result<Emulator> {
        let folder = fresh_folder(scratch)?;
        let facts = self.board.facts();
        let files = self.card.boot_files(facts, &folder)?;
        let line = self.command_line(facts, &files.command_line)?;
        let uarts = [folder.join("uart0.log"), folder.join("uart1.log")];
        for uart in &uarts {
            File::create(uart).with_context(|| format!("making {}", uart.display()))?;
        }
        let tool = self.qemu(facts, &files, &line, &uarts)?;
        Emulator::start(&tool, &folder, &uarts)
    }

    fn command_line(&self, facts: &Facts, own: &str) -> Result<String> {
        Additions {
            board: facts.words,
            clock: self.clock.at_power_on(),
            redirect: self.redirect.as_ref(),
            more: &self.more,
            limit: facts.command_line,
        }
        .compose(own)
    }

    fn qemu(
        &self,
        facts: &Facts,
        files: &BootFiles,
        command_line: &str,
        uarts: &[PathBuf],
    ) -> Result<Tool> {
        // what a killed QEMU has written stays in the host's cache, so the host need not sync
        let drive = format!("if=sd,format=raw,cache=unsafe,file={}", option(self.card.path())?);
        let mut tool = Tool::new(facts.program, "starting the emulated Pi")
            .args(["-M", facts.machine, "-display", "none", "-no-reboot", "-nodefaults"])
            .args(facts.options)
            .args(["-qmp", "stdio", "-append", command_line, "-drive", &drive])
            .arg("-kernel")
            .arg(&files.kernel)
            .arg("-dtb")
            .arg(&files.device_tree)
            .args(["-netdev", &self.network(), "-device", &adapter::option()]);
        if let Some(initrd) = &files.initrd {
            tool = tool.arg("-initrd").arg(initrd);
        }
        for uart in uarts {
            tool = tool.arg("-serial").arg(format!("file:{}", option(uart)?));
        }
        let address = self.thermometer;
        Ok(tool.arg("-device").arg(format!("tmp105,bus=i2c-bus.1,address={address:#x},id=t1")))
    }

    fn network(&self) -> String {
        let forwards = self.forwards.iter();
        let forwards = forwards.map(|(here, there)| format!(",hostfwd=tcp:{here}-{there}"));
        format!("user,id={}{}", adapter::NETWORK, forwards.collect::<String>())
    }
}

/// A path as part of an option, where a comma would end it.
fn option(path: &Path) -> Result<String> {
    let path = path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))?;
    Ok(path.replace(',', ",,"))
}

/// `boot-1`, `boot-2` and so on: a card may be booted more than once.
fn fresh_folder(scratch: &Path) -> Result<PathBuf> {
    let mut number = 1;
    let mut folder = scratch.join("boot-1");
    while folder.exists() {
        number += 1;
        folder = scratch.join(format!("boot-{number}"));
    }
    fs::create_dir(&folder).with_context(|| format!("making {}", folder.display()))?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::{Duration, Instant};

    use serde_json::json;
    use tempfile::TempDir;

    use super::super::trial::{device_tree, image};
    use super::*;

    /// A card that QEMU takes; its kernel does nothing.
    fn card(tree: &[u8]) -> (TempDir, Card) {
        let scratch = tempfile::tempdir().unwrap();
        // an endless loop, for an ARM of 64 bits
        let kernel = 0x1400_0000_u32.to_le_bytes();
        let files: [(&str, &[u8]); 4] = [
            ("config.txt", b""),
            ("cmdline.txt", b"root=/dev/mmcblk0p2"),
            ("kernel8.img", &kernel),
            ("bcm2837-rpi-3-b.dtb", tree),
        ];
        let card = Card::prepare(&image(scratch.path(), &files), scratch.path()).unwrap();
        (scratch, card)
    }

    #[test]
    fn a_machine_runs_is_disturbed_and_ends() {
        let (scratch, card) = card(&device_tree());
        let mut pi = Machine::pi3(&card).thermometer(0x49).start(scratch.path()).unwrap();
        pi.set_temperature(23.5).unwrap();
        let felt = pi.qmp().get("/machine/peripheral/t1", "temperature").unwrap();
        assert_eq!(felt, 23_500);
        assert!(pi.set_temperature(f64::NAN).is_err());
        pi.set_network(false).unwrap();
        pi.set_network(true).unwrap();
        assert!(pi.died().is_none());
        pi.stop().unwrap();

        // the same card again, in a folder of its own
        let pi = Machine::pi3(&card).start(scratch.path()).unwrap();
        assert_eq!(pi.folder(), scratch.path().join("boot-2"));
        let console = pi.console().clone();
        pi.cut_power().unwrap();
        let error = console.wait_for("login:", Duration::from_mins(1)).unwrap_err();
        let told = format!("{error:#}");
        assert!(told.contains("the emulated Pi ended: signal: 9 (SIGKILL)"), "{told}");
    }

    #[test]
    fn an_adapter_that_the_guest_has_given_up_is_plugged_in_again() {
        let (scratch, card) = card(&device_tree());
        let pi = Machine::pi3(&card).start(scratch.path()).unwrap();
        let attached = || pi.qmp().get("/machine/peripheral/net", "attached").is_ok();
        let wait_until = |wanted| {
            let deadline = Instant::now() + Duration::from_mins(1);
            while attached() != wanted {
                assert!(Instant::now() < deadline, "it should have become {wanted}");
                thread::sleep(Duration::from_millis(50));
            }
        };
        // what the guest does not see, and what is not there, is one
        assert!(attached());
        pi.qmp().execute("device_del", &json!({"id": "net"})).unwrap();
        wait_until(false);
        let console = pi.folder().join("uart1.log");
        fs::write(console, "usb usb1-port1: unable to enumerate USB device\n").unwrap();
        wait_until(true);
        pi.stop().unwrap();
    }

    #[test]
    fn an_emulator_that_refuses_says_why() {
        let (scratch, card) = card(b"no device tree");
        let error = Machine::pi3(&card).start(scratch.path()).unwrap_err().to_string();
        assert!(error.starts_with("the emulated Pi ended: exit status: 1: "), "{error}");
        assert!(error.contains("dtb"), "{error}");
    }
}
