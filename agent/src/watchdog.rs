//! What systemd is told: that the program is ready, how it stands, and that it is alive.
//!
//! Alive means that every part moves. Each part beats its [`Pulse`]; the watchdog is fed only while none
//! has missed a beat for half the time that systemd allows, so one that hangs gets the whole restarted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sd_notify::NotifyState;
use tracing::error;

use crate::clock::Clock;

/// How often work that takes long beats its pulse.
const BEAT: Duration = Duration::from_secs(1);

/// Says when a part of the program last moved.
pub struct Pulse {
    name: &'static str,
    clock: Arc<dyn Clock>,
    /// Tenths of a second since the machine started: 13 years of them.
    last: AtomicU32,
}

impl std::fmt::Debug for Pulse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pulse").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Pulse {
    /// A part that moves now.
    pub fn new(name: &'static str, clock: Arc<dyn Clock>) -> Self {
        let pulse = Self { name, clock, last: AtomicU32::new(0) };
        pulse.beat();
        pulse
    }

    /// The part moves.
    pub fn beat(&self) {
        self.last.store(self.now(), Ordering::Relaxed);
    }

    /// Does work that has a limit of its own, and beats meanwhile.
    pub async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            self.beat();
            if let Ok(result) = tokio::time::timeout(BEAT, &mut work).await {
                return result;
            }
        }
    }

    fn silent_for(&self) -> Duration {
        let tenths = self.now().saturating_sub(self.last.load(Ordering::Relaxed));
        Duration::from_millis(u64::from(tenths) * 100)
    }

    fn now(&self) -> u32 {
        u32::try_from(self.clock.boot().0.as_millis() / 100).unwrap_or(u32::MAX)
    }
}

/// Feeds systemd's watchdog, if there is one, for as long as every pulse beats.
pub async fn feed(pulses: &[Arc<Pulse>]) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return std::future::pending().await };
    let mut alarmed = false;
    loop {
        match hanging(pulses, limit / 2) {
            None => tell(NotifyState::Watchdog),
            Some(name) if !alarmed => {
                error!(part = name, "a part of the agent hangs: systemd will start it again");
                alarmed = true;
            }
            Some(_) => {}
        }
        tokio::time::sleep(limit / 4).await;
    }
}

fn hanging(pulses: &[Arc<Pulse>], limit: Duration) -> Option<&'static str> {
    pulses.iter().find(|pulse| pulse.silent_for() > limit).map(|pulse| pulse.name)
}

/// The profile is read and the sampler runs.
pub fn ready() {
    tell(NotifyState::Ready);
}

/// The program ends.
pub fn stopping() {
    tell(NotifyState::Stopping);
}

/// How the program stands, in words, for `systemctl status`.
pub fn status(text: &str) {
    tell(NotifyState::Status(text));
}

/// Without systemd there is nobody to tell, and nothing is lost.
fn tell(state: NotifyState<'_>) {
    let _ = sd_notify::notify(&[state]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::fake::FakeClock;

    #[test]
    fn the_part_that_hangs_is_found() {
        let clock = Arc::new(FakeClock::at(100, 0));
        let pulses: Vec<_> =
            ["sampler", "uplink"].map(|name| Arc::new(Pulse::new(name, clock.clone()))).into();
        let limit = Duration::from_secs(5);
        clock.pass(Duration::from_secs(4));
        assert_eq!(hanging(&pulses, limit), None);
        pulses[0].beat();
        clock.pass(Duration::from_secs(4));
        assert_eq!(hanging(&pulses, limit), Some("uplink"));
    }

    #[tokio::test(start_paused = true)]
    async fn long_work_beats() {
        let clock = Arc::new(FakeClock::at(0, 0));
        let pulse = Pulse::new("uplink", clock.clone());
        let work = async {
            clock.pass(Duration::from_secs(10));
            tokio::time::sleep(Duration::from_secs(10)).await;
        };
        pulse.during(work).await;
        assert_eq!(pulse.silent_for(), Duration::ZERO);
    }
}
