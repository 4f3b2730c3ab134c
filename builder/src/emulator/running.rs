//! A running emulated Pi: followed, disturbed, switched off.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::adapter;
use super::child::{Child, Died};
use super::console::Console;
use super::qmp::Qmp;
use crate::tool::Tool;

/// How long QEMU may take to write back and end when asked to.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where QEMU keeps the emulated TMP105.
const THERMOMETER: &str = "/machine/peripheral/t1";

/// A running emulated Pi. Dropping it cuts its power.
#[derive(Debug)]
pub struct Emulator {
    child: Child,
    qmp: adapter::Shared,
    power_on: Instant,
    consoles: [Console; 2],
    followers: Vec<JoinHandle<()>>,
    folder: PathBuf,
}

impl Emulator {
    pub(super) fn start(tool: &Tool, folder: &Path, uarts: &[PathBuf; 2]) -> Result<Self> {
        // a pair of sockets as its standard input and output: no name, no port, nobody else
        let (ours, theirs) = UnixStream::pair().context("making the control line")?;
        let input = theirs.try_clone().context("making the control line")?;
        let power_on = Instant::now();
        let child = Child::start(tool, "the emulated Pi", &folder.join("qemu.log"), |command| {
            command.stdin(OwnedFd::from(input)).stdout(OwnedFd::from(theirs));
        })?;
        let qmp = Arc::new(Mutex::new(greet(ours, &child)?));
        let [(first_uart, first), (mini_uart, second)] = follow(uarts, power_on, &child)?;
        let attendant = adapter::attend(mini_uart.clone(), Arc::clone(&qmp));
        Ok(Self {
            child,
            qmp,
            power_on,
            consoles: [first_uart, mini_uart],
            followers: vec![first, second, attendant],
            folder: folder.to_owned(),
        })
    }

    /// The mini UART (`ttyS1`), to which the kernel, systemd and the login prompt report: on a Pi with
    /// Bluetooth the other UART belongs to that.
    pub fn console(&self) -> &Console {
        &self.consoles[1]
    }

    /// The first UART (`ttyAMA0`), to which the kernel reports too.
    pub fn first_uart(&self) -> &Console {
        &self.consoles[0]
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
        self.qmp().set(THERMOMETER, "temperature", milli).context("setting the temperature")
    }

    /// Plugs the network cable in or out.
    pub fn set_network(&mut self, up: bool) -> Result<()> {
        self.qmp().set_link(adapter::NETWORK, up).context("plugging the network cable")
    }

    /// The control line, for what has no method here.
    pub fn qmp(&self) -> MutexGuard<'_, Qmp> {
        self.qmp.lock().unwrap_or_else(PoisonError::into_inner)
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
        // one that cannot be asked is ending already, or beyond asking
        let patience = if self.qmp().quit().is_ok() { PATIENCE } else { Duration::ZERO };
        self.child.wait_or_kill(patience)?;
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
