//! `imgbuild run`: boots a card image and shows what it publishes.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use anyhow::{Context, Result};
use signal_hook::SigId;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::board::Board;
use super::broker::{Broker, Setup};
use super::card::Card;
use super::child::GLANCE;
use super::console::Mark;
use super::machine::{Emulator, Machine};
use super::progress::Progress;
use super::subscriber::{self, Message};

/// What to boot, and until when.
#[derive(Clone, Debug)]
pub struct Options {
    /// The card image.
    pub image: PathBuf,
    /// The board to boot it in.
    pub board: Board,
    /// How the broker lets the card in: the cloud's name, as the card's profile has it.
    pub broker: Setup,
    /// The address of the emulated TMP105.
    pub thermometer: u8,
    /// What it feels; none: what QEMU starts with.
    pub temperature: Option<f64>,
    /// Ends the run so long after power-on.
    pub time: Option<Duration>,
    /// Ends the run after so many messages.
    pub messages: Option<usize>,
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
    let stop = Stop::on_signals()?;
    let scratch = tempfile::Builder::new()
        .prefix("imgbuild-run-")
        .tempdir()
        .context("making a scratch folder")?;
    let card = Card::prepare(&options.image, scratch.path())?;
    let broker = Broker::start(&options.broker)?;
    writeln!(progress, "    0.0 s  broker ready at {}", broker.address())?;
    let mut pi = Machine::new(options.board, &card)
        .redirect(broker.redirect())
        .thermometer(options.thermometer)
        .start(scratch.path())?;
    if let Some(celsius) = options.temperature {
        pi.set_temperature(celsius)?;
    }
    let mut session = Session { options, pi: &pi, broker: &broker, count: 0, log: Mark::default() };
    let end = session.watch(&stop, out, progress)?;
    let messages = session.count;
    pi.stop()?;
    Ok(Outcome { messages, end })
}

/// A run while it goes on.
struct Session<'a> {
    options: &'a Options,
    pi: &'a Emulator,
    broker: &'a Broker,
    count: usize,
    log: Mark,
}

impl Session<'_> {
    fn watch(&mut self, stop: &Stop, out: &mut dyn Write, progress: &mut dyn Write) -> Result<End> {
        let mut boot = Progress::new();
        loop {
            for (at, step) in boot.look(self.pi.console()) {
                tell(progress, at, step)?;
            }
            for client in self.clients() {
                tell(progress, self.pi.since_power_on(), &client)?;
            }
            if let Some(end) = self.next_message(out)? {
                return Ok(end);
            }
            if stop.is_asked() {
                return Ok(End::Signal);
            }
            if self.options.time.is_some_and(|time| self.pi.since_power_on() >= time) {
                return Ok(End::Time);
            }
            if let Some(died) = self.pi.died() {
                return Err(died.into());
            }
        }
    }

    /// Waits a glance's time for a message and prints it.
    fn next_message(&mut self, out: &mut dyn Write) -> Result<Option<End>> {
        let message = match self.broker.messages().recv_timeout(GLANCE) {
            Ok(message) => message,
            Err(RecvTimeoutError::Timeout) => return Ok(None),
            Err(RecvTimeoutError::Disconnected) => return Ok(Some(End::Reader)),
        };
        match print(out, &message) {
            Ok(()) => self.count += 1,
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                return Ok(Some(End::Reader));
            }
            Err(error) => return Err(error).context("printing a message"),
        }
        Ok((Some(self.count) == self.options.messages).then_some(End::Messages))
    }

    /// What the broker's log has newly said about clients coming and being refused.
    fn clients(&mut self) -> Vec<String> {
        let Some(log) = self.broker.log() else { return Vec::new() };
        let (lines, mark) = log.since(self.log);
        self.log = mark;
        lines.iter().filter_map(|line| client(&line.text)).collect()
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

fn tell(progress: &mut dyn Write, at: Duration, what: &str) -> Result<()> {
    writeln!(progress, "{:7.1} s  {what}", at.as_secs_f64()).context("printing the progress")
}

/// What a line of the broker's log says about a client, if it does and is not about our own.
fn client(line: &str) -> Option<String> {
    let (_, text) = line.split_once(": ")?;
    if text.contains(subscriber::NAME) {
        return None;
    }
    if let Some(who) = text.strip_prefix("New client connected from ") {
        let name = who.split_once(" as ")?.1.split(' ').next()?;
        return Some(format!("{name} connected to the broker"));
    }
    let telling = text.starts_with("Client ") || text.contains("Error");
    telling.then(|| format!("broker: {text}"))
}

/// Set by the signals that ask a program to end; undone when dropped.
struct Stop {
    asked: Arc<AtomicBool>,
    handlers: Vec<SigId>,
}

impl Stop {
    fn on_signals() -> Result<Self> {
        let mut stop = Self { asked: Arc::default(), handlers: Vec::new() };
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let handler = signal_hook::flag::register(signal, Arc::clone(&stop.asked))
                .context("listening for Ctrl-C")?;
            stop.handlers.push(handler);
        }
        Ok(stop)
    }

    fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        for handler in self.handlers.drain(..) {
            signal_hook::low_level::unregister(handler);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_brokers_log_tells_who_came_and_who_was_refused() {
        let said = [
            "1581417910: mosquitto version 2.0.11 running",
            "1581417910: New client connected from 127.0.0.1:40 as greenhouse-01 (p2, c0, k30).",
            "1581417910: New client connected from /tmp/s as imgbuild-run (p2, c1, k0).",
            "1581417911: Client greenhouse-01 closed its connection.",
            "1581417912: OpenSSL Error[0]: error:0A0000C7:SSL routines::peer did not return a certificate",
            "1581417913: New connection from 127.0.0.1:41 on port 18831.",
        ];
        let told: Vec<_> = said.iter().filter_map(|line| client(line)).collect();
        assert_eq!(
            told,
            [
                "greenhouse-01 connected to the broker",
                "broker: Client greenhouse-01 closed its connection.",
                "broker: OpenSSL Error[0]: error:0A0000C7:SSL routines::peer did not return a certificate",
            ]
        );
    }

    #[test]
    fn a_message_is_one_line_and_a_step_has_its_time() {
        let mut out = Vec::new();
        let message = Message {
            topic: "greenhouse-01/air".into(),
            payload: br#"{"sequence":1}"#.to_vec(),
            at: std::time::SystemTime::UNIX_EPOCH,
        };
        print(&mut out, &message).unwrap();
        tell(&mut out, Duration::from_millis(63_240), "login prompt").unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "greenhouse-01/air {\"sequence\":1}\n   63.2 s  login prompt\n");
    }

    #[test]
    fn a_signal_asks_the_run_to_end() {
        let stop = Stop::on_signals().unwrap();
        assert!(!stop.is_asked());
        signal_hook::low_level::raise(SIGHUP).unwrap();
        assert!(stop.is_asked());
    }
}
