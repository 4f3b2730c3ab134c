//! The way to the cloud: waits for network and time, connects, sends, and when that ends connects again.
//!
//! One connection, one [`session`], one reason to leave it. A reason is logged when it is news, with the
//! pause that follows and how much waits; a broker that stays away does not fill the journal.

pub mod backoff;
pub mod conversation;
pub mod failure;
pub mod session;

use std::cell::RefCell;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use crate::clock::Clock;
use crate::clock::gate::Gate;
use crate::config::Config;
use crate::health::{Health, State};
use crate::mqtt::Connection;
use crate::network::Network;
use crate::outbox::{Outbox, Shared};
use crate::stop::Stop;
use crate::watchdog::Pulse;
use backoff::{Backoff, chance};
use conversation::Talk;
use failure::{Failure, Setting, classify};
use session::{Left, Lost, Session};

/// Of failures with one cause every so manyth is logged.
const REPEAT: u32 = 10;

/// What the uplink works with.
pub struct Uplink<'a, O> {
    /// How to connect and what to send.
    pub config: &'a Config,
    /// What is said beside readings.
    pub talk: &'a RefCell<Talk>,
    /// What waits to be sent.
    pub outbox: &'a Shared<O>,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Is there a network?
    pub network: Network,
    /// Is the clock right?
    pub gate: Gate,
    /// Who is told how it stands.
    pub health: &'a Health,
    /// Beats while the uplink moves.
    pub pulse: &'a Pulse,
    /// Says when to end.
    pub stop: &'a Stop,
}

impl<O> std::fmt::Debug for Uplink<'_, O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Uplink").finish_non_exhaustive()
    }
}

impl<O: Outbox> Uplink<'_, O> {
    /// Sends what is in the outbox until it is time to end.
    pub async fn run(&self) {
        let _ = self.stop.unless(self.prepare()).await;
        let mut backoff = Backoff::new(self.config.profile.telemetry.reconnect.clone());
        let mut report = FailureReport::default();
        while !self.stop.is_requested() {
            let lost = match self.connection(&mut backoff, &mut report).await {
                Ok(Left::Stopped) => return,
                Ok(Left::TokenOld) => continue,
                Err(lost) => lost,
            };
            let pause = backoff.next(chance());
            self.failed(&lost, pause, &mut report);
            let _ = self.stop.unless(self.pulse.during(sleep(pause))).await;
            let _ = self.stop.unless(self.reach_network()).await;
        }
    }

    /// Waits for what the first connection needs. The network comes first: it brings the time.
    async fn prepare(&self) {
        self.reach_network().await;
        self.health.enter(State::WaitingForClock);
        self.pulse.during(self.gate.wait(self.clock)).await;
        self.outbox.settle(self.clock);
    }

    async fn reach_network(&self) {
        let wait = self.network.wait(&self.config.options.dial.0, self.clock);
        tokio::pin!(wait);
        // a network that is there is no news
        if tokio::time::timeout(Duration::ZERO, &mut wait).await.is_err() {
            self.health.enter(State::WaitingForNetwork);
            self.pulse.during(wait).await;
        }
    }

    /// One connection, from the attempt to its end.
    async fn connection(
        &self,
        backoff: &mut Backoff,
        report: &mut FailureReport,
    ) -> Result<Left, Lost> {
        let options = &self.config.options;
        self.health.enter(State::Connecting);
        let opening = self.pulse.during(Connection::open(options, self.clock.utc()));
        let Some(opened) = self.stop.unless(opening).await else { return Ok(Left::Stopped) };
        let connection = opened.map_err(Lost::NotConnected)?;
        let since = Instant::now();
        report.connected();
        info!(
            host = %options.host,
            address = %format_args!("{}:{}", options.dial.0, options.dial.1),
            client = %options.client_id,
            tls = options.tls.is_some(),
            queued = self.outbox.len(),
            "connected"
        );
        self.health.enter(State::Connected);
        let ended = self.session().run(connection).await;
        backoff.held(since.elapsed());
        ended
    }

    fn session(&self) -> Session<'_, O> {
        Session {
            profile: &self.config.profile,
            outbox: self.outbox,
            talk: self.talk,
            clock: self.clock,
            health: self.health,
            pulse: self.pulse,
            stop: self.stop,
        }
    }

    fn failed(&self, lost: &Lost, pause: Duration, report: &mut FailureReport) {
        let failure = self.config.classify(lost, self.clock);
        self.health.failed(&failure.cause);
        self.health.enter(State::BackingOff);
        if report.is_news(&failure) {
            warn!(
                cause = %failure.cause,
                hint = %failure.hint.as_deref().unwrap_or("none"),
                attempts = report.failures,
                pause = %format_args!("{:.1}s", pause.as_secs_f64()),
                queued = self.outbox.len(),
                dropped = self.outbox.dropped(),
                "{}",
                headline(lost)
            );
        }
    }
}

fn headline(lost: &Lost) -> &'static str {
    match lost {
        Lost::NotConnected(_) => "cannot connect",
        Lost::Connection(_) | Lost::Unacknowledged(_) => "connection lost",
    }
}

impl Config {
    /// Why there is no connection, in words.
    pub fn classify(&self, lost: &Lost, clock: &dyn Clock) -> Failure {
        let Self { options, has_identity, silence, .. } = self;
        let has_identity = *has_identity;
        classify(lost, &Setting { options, has_identity, silence, now: clock.utc() })
    }
}

/// Knows which failure is news.
#[derive(Debug, Default)]
struct FailureReport {
    cause: Option<String>,
    failures: u32,
}

impl FailureReport {
    fn connected(&mut self) {
        *self = Self::default();
    }

    fn is_news(&mut self, failure: &Failure) -> bool {
        self.failures += 1;
        let same = self.cause.as_ref() == Some(&failure.cause);
        self.cause = Some(failure.cause.clone());
        !same || self.failures.is_multiple_of(REPEAT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_news_when_it_changes_and_now_and_then() {
        let failure = |cause: &str| Failure { cause: cause.into(), hint: None };
        let mut report = FailureReport::default();
        let news: Vec<_> = (1..=30).filter(|_| report.is_news(&failure("refused"))).collect();
        assert_eq!(news, [1, 10, 20, 30]);
        assert!(report.is_news(&failure("timeout")));
        assert!(!report.is_news(&failure("timeout")));
        report.connected();
        assert!(report.is_news(&failure("timeout")));
    }
}
