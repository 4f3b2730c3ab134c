//! An emulated Raspberry Pi: switched on, followed, disturbed, switched off.

use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, ensure};

use super::board::{Board, Facts};
use super::card::{BootFiles, Card};
use super::child::{Child, Died};
use super::command_line::Additions;
use super::console::Console;
use super::qmp::Qmp;
use super::redirect::Redirect;
use crate::tool::Tool;

/// How long QEMU may take to write back and end when asked to.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where QEMU keeps the emulated TMP105.
const THERMOMETER: &str = "/machine/peripheral/t1";

/// An emulated Pi before it is switched on.
#[derive(Clone, Debug)]
pub struct Machine {
    board: Board,
    card: Card,
    redirect: Option<Redirect>,
    clock: Option<SystemTime>,
    thermometer: u8,
    more: Vec<String>,
}

impl Machine {
    /// A `board` with `card` in it, a TMP105 at address 0x48 of its I2C bus, a network, and the clock
    /// right.
    pub fn new(board: Board, card: &Card) -> Self {
        Self {
            board,
            card: card.clone(),
            redirect: None,
            clock: Some(SystemTime::now()),
            thermometer: 0x48,
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

    /// Sets the clock at boot to `time`; `None` leaves it as a Pi without a network has it: wrong.
    #[must_use]
    pub fn clock(mut self, time: Option<SystemTime>) -> Self {
        self.clock = time;
        self
    }

    /// Puts the TMP105 at this address.
    #[must_use]
    pub fn thermometer(mut self, address: u8) -> Self {
        self.thermometer = address;
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
            clock: self.clock,
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
            .args(["-qmp", "stdio", "-append", command_line, "-drive", &drive])
            .arg("-kernel")
            .arg(&files.kernel)
            .arg("-dtb")
            .arg(&files.device_tree)
            .args(["-netdev", "user,id=n0", "-device", "usb-net,netdev=n0"]);
        if let Some(initrd) = &files.initrd {
            tool = tool.arg("-initrd").arg(initrd);
        }
        for uart in uarts {
            tool = tool.arg("-serial").arg(format!("file:{}", option(uart)?));
        }
        let address = self.thermometer;
        Ok(tool.arg("-device").arg(format!("tmp105,bus=i2c-bus.1,address={address:#x},id=t1")))
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

/// A running emulated Pi. Dropping it cuts its power.
#[derive(Debug)]
pub struct Emulator {
    child: Child,
    qmp: Qmp,
    power_on: Instant,
    consoles: [Console; 2],
    followers: Vec<JoinHandle<()>>,
    folder: PathBuf,
}

impl Emulator {
    fn start(tool: &Tool, folder: &Path, uarts: &[PathBuf; 2]) -> Result<Self> {
        // a pair of sockets as its standard input and output: no name, no port, nobody else
        let (ours, theirs) = UnixStream::pair().context("making the control line")?;
        let input = theirs.try_clone().context("making the control line")?;
        let power_on = Instant::now();
        let child = Child::start(tool, "the emulated Pi", &folder.join("qemu.log"), |command| {
            command.stdin(OwnedFd::from(input)).stdout(OwnedFd::from(theirs));
        })?;
        let qmp = greet(ours, &child)?;
        let [(console, first), (mini, second)] = follow(uarts, power_on, &child)?;
        Ok(Self {
            child,
            qmp,
            power_on,
            consoles: [console, mini],
            followers: vec![first, second],
            folder: folder.to_owned(),
        })
    }

    /// The first UART (`ttyAMA0`), to which the kernel and systemd report.
    pub fn console(&self) -> &Console {
        &self.consoles[0]
    }

    /// The mini UART (`ttyS1`), to which the kernel reports too.
    pub fn mini_uart(&self) -> &Console {
        &self.consoles[1]
    }

    /// Where the logs of this boot lie.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How long ago the power was switched on.
    pub fn since_power_on(&self) -> Duration {
        self.power_on.elapsed()
    }

    /// Makes the sensor feel this temperature.
    pub fn set_temperature(&mut self, celsius: f64) -> Result<()> {
        ensure!(
            (-128.0..128.0).contains(&celsius),
            "a TMP105 measures -128 to 128 °C, not {celsius}"
        );
        #[expect(clippy::cast_possible_truncation, reason = "checked: six digits at most")]
        let milli = (celsius * 1000.0).round() as i64;
        self.qmp.set(THERMOMETER, "temperature", milli).context("setting the temperature")
    }

    /// Plugs the network cable in or out.
    pub fn set_network(&mut self, up: bool) -> Result<()> {
        self.qmp.set_link("n0", up).context("plugging the network cable")
    }

    /// The control line, for what has no method here.
    pub fn qmp(&mut self) -> &mut Qmp {
        &mut self.qmp
    }

    /// How it ended, if it has ended by itself.
    pub fn died(&self) -> Option<Died> {
        self.child.watch().died(self.console().last_lines())
    }

    /// Cuts the power: what the guest had not written yet is lost, its journal stays open. Returns what
    /// the console showed to the end.
    pub fn cut_power(mut self) -> Result<Console> {
        self.child.kill()?;
        Ok(self.last_words())
    }

    /// Stops the emulator in good order; to the guest that is a power cut too, but every write that
    /// it handed over is on the card.
    pub fn stop(mut self) -> Result<Console> {
        // one that has ended already has nothing left to stop
        if self.died().is_none() {
            self.qmp.quit().context("stopping the emulated Pi")?;
            self.child.wait_or_kill(PATIENCE)?;
        }
        Ok(self.last_words())
    }

    /// Waits until the followers have read what an ended machine had still written.
    fn last_words(&mut self) -> Console {
        for follower in self.followers.drain(..) {
            // a follower does not panic; if one did, the console is just shorter
            let _ = follower.join();
        }
        self.console().clone()
    }
}

/// Takes up the control line; an emulator that ended instead is asked why.
fn greet(stream: UnixStream, child: &Child) -> Result<Qmp> {
    let refused = match Qmp::greet(stream) {
        Ok(qmp) => return Ok(qmp),
        Err(refused) => refused,
    };
    child.wait_or_kill(Duration::from_secs(2))?;
    match child.watch().died(Vec::new()) {
        Some(died) => Err(died.into()),
        None => Err(refused),
    }
}

type Followed = (Console, JoinHandle<()>);

fn follow(uarts: &[PathBuf; 2], power_on: Instant, child: &Child) -> Result<[Followed; 2]> {
    let follow = |name, file| Console::follow(name, file, power_on, child.watch().clone());
    Ok([follow("ttyAMA0", &uarts[0])?, follow("ttyS1", &uarts[1])?])
}
