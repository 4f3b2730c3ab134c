//! `imgbuild run`: boots a card image and shows what it publishes.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::board::Board;
use super::broker::{Broker, Setup};
use super::card::Card;
use super::child::GLANCE;
use super::console::Mark;
use super::machine::{Machine, THERMOMETER};
use super::progress::{self, Progress};
use super::running::Emulator;
use super::subscriber::Message;
use crate::interrupt;
use crate::scratch;

/// What to boot, and until when.
#[derive(Clone, Debug)]
pub struct Options {
    /// The card image.
    pub image: PathBuf,
    /// Where the working copy of it is made: a card, in full.
    pub folder: PathBuf,
    /// The board to boot it in.
    pub board: Board,
    /// How the broker lets the card in: the cloud's name, as the card's profile has it.
    pub broker: Setup,
    /// The address of the emulated TMP105.
    pub thermometer: u8,
    /// What it feels; none: what QEMU starts with.
    pub temperature: Option<f64>,
    /// What else the kernel is told.
    pub append: Vec<String>,
    /// Ends the run so long after the first power-on.
    pub time: Option<Duration>,
    /// Ends the run after so many messages.
    pub messages: Option<usize>,
}

impl Options {
    /// Boots a copy in `folder` of `image` in a Pi 3, against a broker of this kind, until Ctrl-C.
    pub fn new(image: impl Into<PathBuf>, folder: impl Into<PathBuf>, broker: Setup) -> Self {
        Self {
            image: image.into(),
            folder: folder.into(),
            board: Board::Pi3,
            broker,
            thermometer: THERMOMETER,
            temperature: None,
            append: Vec::new(),
            time: None,
            messages: None,
        }
    }
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// As many messages came as were wanted.
    Messages,
    /// The time was over.
    Time,
    /// Someone pressed Ctrl-C, or ended us otherwise.
    Signal,
    /// Nobody reads the messages any more.
    Reader,
}

/// What a run has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How many messages came.
    pub messages: usize,
    /// Why it ended.
    pub end: End,
}

/// Boots the image, writes its messages to `out` (`topic payload`, one a line) and how the boot goes to
/// `progress`, until the options, a signal or the machine's end say so. Ends all that it started.
pub fn run(options: &Options, out: &mut dyn Write, progress: &mut dyn Write) -> Result<Outcome> {
    let cards = scratch::Folder::within(&options.folder)?;
    let card = Card::prepare(&options.image, cards.path())?;
    // sockets have no room for long paths
    let scratch = scratch::Folder::new()?;
    let broker = Broker::start(&options.broker)?;
    let machine = options
        .append
        .iter()
        .fold(Machine::new(options.board, &card), Machine::append)
        .redirect(broker.redirect())
        .thermometer(options.thermometer);
    let mut session = Session {
        options,
        broker,
        begin: Instant::now(),
        messages: 0,
        log: Mark::default(),
        out,
        progress,
    };
    loop {
        let mut pi = machine.start(scratch.path())?;
        if let Some(celsius) = options.temperature {
            pi.set_temperature(celsius)?;
        }
        if let Some(end) = session.watch(&pi)? {
            pi.stop()?;
            return Ok(Outcome { messages: session.messages, end });
        }
        session.tell("the Pi restarts")?;
    }
}

/// A run while it goes on.
struct Session<'a> {
    options: &'a Options,
    broker: Broker,
    begin: Instant,
    messages: usize,
    log: Mark,
    out: &'a mut dyn Write,
    progress: &'a mut dyn Write,
}

impl Session<'_> {
    /// Follows one boot until the run is to end, or the Pi restarts (`None`).
    fn watch(&mut self, pi: &Emulator) -> Result<Option<End>> {
        let mut boot = Progress::new();
        loop {
            for step in boot.look(pi.console()) {
                self.tell(step)?;
            }
            for client in self.clients() {
                self.tell(&client)?;
            }
            if let Some(end) = self.next_message()?.or_else(|| self.asked()) {
                return Ok(Some(end));
            }
            match pi.died() {
                // QEMU is told to end where a Pi would restart: then the firmware reads the card anew
                Some(died) if died.status.success() => return Ok(None),
                Some(died) => return Err(died.into()),
                None => {}
            }
        }
    }

    /// The end that a signal or the clock asks for.
    fn asked(&self) -> Option<End> {
        if interrupt::came().is_some() {
            return Some(End::Signal);
        }
        self.options.time.is_some_and(|time| self.begin.elapsed() >= time).then_some(End::Time)
    }

    fn tell(&mut self, what: &str) -> Result<()> {
        let seconds = self.begin.elapsed().as_secs_f64();
        writeln!(self.progress, "{seconds:7.1} s  {what}").context("printing the progress")
    }

    /// Waits a glance's time for a message and prints it.
    fn next_message(&mut self) -> Result<Option<End>> {
        let message = match self.broker.messages().recv_timeout(GLANCE) {
            Ok(message) => message,
            Err(RecvTimeoutError::Timeout) => return Ok(None),
            Err(RecvTimeoutError::Disconnected) => return Ok(Some(End::Reader)),
        };
        match print(self.out, &message) {
            Ok(()) => self.messages += 1,
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                return Ok(Some(End::Reader));
            }
            Err(error) => return Err(error).context("printing a message"),
        }
        Ok((Some(self.messages) == self.options.messages).then_some(End::Messages))
    }

    /// What the broker's log has newly said about clients coming and being refused.
    fn clients(&mut self) -> Vec<String> {
        let Some(log) = self.broker.log() else { return Vec::new() };
        let (lines, mark) = log.since(self.log);
        self.log = mark;
        lines.iter().filter_map(|line| progress::client(&line.text)).collect()
    }
}

fn print(out: &mut dyn Write, message: &Message) -> io::Result<()> {
    out.write_all(message.topic.as_bytes())?;
    out.write_all(b" ")?;
    out.write_all(&message.payload)?;
    out.write_all(b"\n")?;
    // as it arrives, whatever reads it
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line() {
        let mut out = Vec::new();
        let message = Message {
            topic: "greenhouse-01/air".into(),
            payload: br#"{"sequence":1}"#.to_vec(),
            at: std::time::SystemTime::UNIX_EPOCH,
        };
        print(&mut out, &message).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "greenhouse-01/air {\"sequence\":1}\n");
    }
}
