//! One request in a thread of its own, so that a server which is silent keeps nobody from ending.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use anyhow::{anyhow, bail};

use super::client::{Client, Start};
use crate::fault::Lacking;
use crate::interrupt;

/// What happens on the way.
pub(super) enum Event {
    /// The server answers.
    Start(Start),
    /// A piece of the file, in order.
    Data(Vec<u8>),
    /// That was all, as the server said it would be.
    End,
    /// The connection broke, or never stood.
    Broken(anyhow::Error),
}

/// Bytes that are read at once.
const STEP: usize = 256 << 10;
/// Pieces that may wait for the disk.
const WAITING: usize = 16;
/// How often the signals are looked at.
const GLANCE: Duration = Duration::from_millis(100);

/// A request on its way.
pub(super) struct Transfer(Receiver<Event>);

impl Transfer {
    /// Asks for all, or for the rest: from where, and of which version.
    pub(super) fn begin(
        client: &Client,
        resume: Option<(u64, Option<String>)>,
    ) -> anyhow::Result<Self> {
        let (sender, events) = sync_channel(WAITING);
        let client = client.clone();
        // nobody waits for its end: once nobody listens any more it ends with its next piece, or with the program
        std::thread::Builder::new().spawn(move || run(&client, resume.as_ref(), &sender))?;
        Ok(Self(events))
    }

    /// Waits for what happens next, and for signals.
    pub(super) fn next(&self) -> anyhow::Result<Event> {
        loop {
            interrupt::check()?;
            match self.0.recv_timeout(GLANCE) {
                Ok(event) => return Ok(event),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => bail!("the download was lost"),
            }
        }
    }
}

fn run(client: &Client, resume: Option<&(u64, Option<String>)>, events: &SyncSender<Event>) {
    let mut body = match client.ask(resume) {
        Ok((start, body)) => {
            if events.send(Event::Start(start)).is_err() {
                return;
            }
            body.into_reader()
        }
        // one who does not listen any more wants no error either
        Err(error) => return drop(events.send(Event::Broken(error))),
    };
    loop {
        let mut piece = vec![0; STEP];
        let event = match body.read(&mut piece) {
            Ok(0) => Event::End,
            Ok(read) => {
                piece.truncate(read);
                Event::Data(piece)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Event::Broken(broken(&error)),
        };
        let is_last = !matches!(event, Event::Data(_));
        if events.send(event).is_err() || is_last {
            return;
        }
    }
}

fn broken(error: &io::Error) -> anyhow::Error {
    let timeout = error.get_ref().and_then(|it| it.downcast_ref::<ureq::Error>());
    match timeout {
        Some(ureq::Error::Timeout(_)) => anyhow!(Lacking("the server went silent".into())),
        _ => anyhow!(Lacking(format!("the connection broke: {error}"))),
    }
}
