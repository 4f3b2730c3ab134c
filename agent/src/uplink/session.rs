//! One connection: from its acceptance to its end.
//!
//! A few messages are under way at a time. They are acknowledged in whatever order the broker likes;
//! what the outbox lets go is the front of the row, so that a record never overtakes one that is lost.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::time::Duration;

use imgbuild_schema::CardProfile;
use tokio::time::{Instant, sleep, timeout};

use crate::clock::Clock;
use crate::health::Health;
use crate::mqtt::{Connection, Error, News, Receipt};
use crate::outbox::{Outbox, Shared};
use crate::provider;
use crate::stop::Stop;
use crate::uplink::backoff::chance;
use crate::uplink::conversation::{Conversation, Talk};
use crate::watchdog::Pulse;

/// How many messages may be under way.
const WINDOW: usize = 16;

/// How often the pulse beats while nothing happens.
const BEAT: Duration = Duration::from_secs(1);

/// How long a clean end may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// How a connection was left that was still good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// It is time to end.
    Stopped,
    /// Its token grows old: a new connection brings a new one, since MQTT 3.1.1 takes none in between.
    TokenOld,
}

/// Why there is no connection.
#[derive(Debug)]
pub enum Lost {
    /// It did not come to be.
    NotConnected(Error),
    /// It ended.
    Connection(Error),
    /// The broker has not acknowledged a message in this time.
    Unacknowledged(Duration),
}

impl From<Error> for Lost {
    /// Of a connection that was there.
    fn from(error: Error) -> Self {
        Self::Connection(error)
    }
}

/// What a session works with.
pub struct Session<'a, O> {
    /// What the profile says.
    pub profile: &'a CardProfile,
    /// What waits to be sent.
    pub outbox: &'a Shared<O>,
    /// The time.
    pub clock: &'a dyn Clock,
    /// What is said beside.
    pub talk: &'a RefCell<Talk>,
    /// Who is told of messages that have arrived.
    pub health: &'a Health,
    /// Beats while the session lives.
    pub pulse: &'a Pulse,
    /// Says when to end.
    pub stop: &'a Stop,
}

impl<O> std::fmt::Debug for Session<'_, O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

/// A message that is under way.
struct UnderWay {
    sequence: u64,
    overdue: Instant,
    arrived: Pin<Box<dyn Future<Output = bool>>>,
}

/// The messages under way, in the order of their numbers.
#[derive(Default)]
struct Row {
    messages: VecDeque<UnderWay>,
    /// The highest number that was handed over.
    last: u64,
}

impl Row {
    fn has_room(&self) -> bool {
        self.messages.len() < WINDOW
    }

    fn push(&mut self, sequence: u64, receipt: Receipt, ack_timeout: Duration) {
        let arrived = Box::pin(receipt.arrived());
        let overdue = Instant::now() + ack_timeout;
        self.messages.push_back(UnderWay { sequence, overdue, arrived });
        self.last = sequence;
    }

    /// Waits until the first message has arrived, and takes it out. None: it never will.
    async fn first_arrived(&mut self) -> Option<u64> {
        let Some(first) = self.messages.front_mut() else { return std::future::pending().await };
        let (sequence, arrived) = (first.sequence, first.arrived.as_mut().await);
        self.messages.pop_front();
        arrived.then_some(sequence)
    }

    fn is_overdue(&self) -> bool {
        self.messages.front().is_some_and(|first| first.overdue <= Instant::now())
    }
}

impl<O: Outbox> Session<'_, O> {
    /// Sends until the connection ends, or is to be left and what is under way has arrived.
    pub async fn run(&self, mut connection: Connection) -> Result<Left, Lost> {
        let mut row = Row::default();
        let ended = self.work(&mut row, &mut connection).await;
        // what has arrived with the last breath need not be sent again
        while let Ok(Some(sequence)) = timeout(Duration::ZERO, row.first_arrived()).await {
            self.acknowledge(sequence);
        }
        if ended.is_ok() {
            connection.close(FAREWELL).await;
        }
        ended
    }

    async fn work(&self, row: &mut Row, connection: &mut Connection) -> Result<Left, Lost> {
        let ack_timeout = self.profile.telemetry.ack_timeout.get();
        let renew_at = self.renew_at(connection);
        let mut talk = Conversation::open(self.talk, connection, ack_timeout)?;
        let mut leave_at = None;
        loop {
            self.pulse.beat();
            let is_old = renew_at.is_some_and(|renew_at| Instant::now() >= renew_at);
            if is_old && row.messages.is_empty() {
                return Ok(Left::TokenOld);
            }
            if !is_old {
                self.fill(row, connection)?;
            }
            if self.stop.is_requested() {
                let leave_at = *leave_at.get_or_insert_with(|| Instant::now() + FAREWELL);
                if row.messages.is_empty() || Instant::now() >= leave_at {
                    talk.end(connection)?;
                    return Ok(Left::Stopped);
                }
            }
            tokio::select! {
                biased;
                first = row.first_arrived() => match first {
                    Some(sequence) => self.acknowledge(sequence),
                    None => return Err(Lost::Connection(connection.lost().await)),
                },
                news = connection.news() => match news {
                    News::Heard(heard) => talk.hear(&heard, connection)?,
                    News::Lost(error) => return Err(Lost::Connection(error)),
                },
                // none: the connection has ended, and will say so
                Some(refused) = talk.granted() => talk.agreed(&refused, connection)?,
                () = self.outbox.filled(), if row.has_room() && !is_old => {}
                () = self.stop.requested(), if leave_at.is_none() => {}
                () = sleep(BEAT.min(ack_timeout)) => {}
            }
            if row.is_overdue() || talk.is_overdue() {
                return Err(Lost::Unacknowledged(ack_timeout));
            }
            talk.tend(connection)?;
            talk.remind(connection)?;
        }
    }

    /// When to make a new token: at 80 to 85 % of the life of this one, each device at its own moment.
    fn renew_at(&self, connection: &Connection) -> Option<Instant> {
        let left = connection.expires()?.0.saturating_sub(self.clock.utc().0);
        Some(Instant::now() + left.mul_f64(0.80 + 0.05 * chance()))
    }

    /// Hands over what waits, up to a full row.
    fn fill(&self, row: &mut Row, connection: &Connection) -> Result<(), Lost> {
        while row.has_room()
            && let Some(record) = self.outbox.after(row.last)
        {
            let message = provider::message(&record, self.profile, self.clock.utc());
            let receipt = connection.publish(message)?;
            row.push(record.sequence, receipt, self.profile.telemetry.ack_timeout.get());
        }
        Ok(())
    }

    fn acknowledge(&self, sequence: u64) {
        self.outbox.acknowledge(sequence);
        self.health.published(1);
    }
}
