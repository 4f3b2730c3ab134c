//! `imgbuild-agent --dry-run`: is the broker there, and does it let us in?

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing::warn;

use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::mqtt::Connection;
use crate::uplink::backoff::{Backoff, chance};
use crate::uplink::failure::Failure;
use crate::uplink::session::Lost;

/// How long taking leave may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// Connects, and takes leave at once. Tries again for as long as it is given.
pub async fn connect(config: &Config, limit: Duration) -> Result<(), Failure> {
    let end = Instant::now() + limit;
    let mut backoff = Backoff::new(config.profile.telemetry.reconnect.clone());
    let mut failure = None;
    loop {
        let opened =
            tokio::time::timeout_at(end, Connection::open(&config.options, SystemClock.utc()))
                .await;
        let error = match opened {
            Ok(Ok(connection)) => {
                connection.close(FAREWELL).await;
                return Ok(());
            }
            Ok(Err(error)) => error,
            // time is up: what went wrong before says more than that
            Err(_) => return Err(failure.unwrap_or_else(|| no_answer(limit))),
        };
        let latest = config.classify(&Lost::NotConnected(error), &SystemClock);
        let pause = backoff.next(chance());
        if Instant::now() + pause >= end {
            return Err(latest);
        }
        if failure.replace(latest.clone()) != Some(latest.clone()) {
            warn!(cause = %latest.cause, "cannot connect; trying again for {limit:?}");
        }
        sleep(pause).await;
    }
}

fn no_answer(limit: Duration) -> Failure {
    Failure { cause: format!("no answer within {limit:?}"), hint: None }
}
