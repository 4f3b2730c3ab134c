//! How long to wait before connecting again.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

use imgbuild_schema::telemetry::Reconnect;

/// The shortest pause, whatever the profile says: a broker must not be hammered.
const SHORTEST: Duration = Duration::from_millis(100);

/// Pauses that double from `first` to `max`, each shortened by a random share, so that a fleet that lost
/// its broker in one moment does not return in one moment.
#[derive(Clone, Debug)]
pub struct Backoff {
    settings: Reconnect,
    failures: u32,
}

impl Backoff {
    /// Pauses by the profile's settings.
    pub fn new(settings: Reconnect) -> Self {
        Self { settings, failures: 0 }
    }

    /// The pause after one more failure; `chance` is from 0 to 1.
    pub fn next(&mut self, chance: f64) -> Duration {
        let (first, max) = (self.settings.first.get(), self.settings.max.get());
        let doubled = 2_u32.checked_pow(self.failures).and_then(|factor| first.checked_mul(factor));
        self.failures = self.failures.saturating_add(1);
        let pause = doubled.unwrap_or(max).min(max);
        pause.mul_f64(1.0 - self.settings.jitter.factor() * chance.clamp(0.0, 1.0)).max(SHORTEST)
    }

    /// A connection was lost after so long. If that was long enough, the pauses begin anew.
    pub fn held(&mut self, time: Duration) {
        if time >= self.settings.stable.get() {
            self.failures = 0;
        }
    }
}

/// A number from 0 to 1 that differs from device to device and from call to call.
pub fn chance() -> f64 {
    // the standard library seeds its hashers from the kernel
    let number = RandomState::new().build_hasher().finish();
    let high = u32::try_from(number >> 32).unwrap_or(u32::MAX);
    f64::from(high) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(backoff: &mut Backoff, chance: f64, count: usize) -> Vec<u64> {
        (0..count).map(|_| u64::try_from(backoff.next(chance).as_millis()).unwrap()).collect()
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let mut backoff = Backoff::new(Reconnect::default());
        let expected = [1000, 2000, 4000, 8000, 16_000, 32_000, 32_000];
        assert_eq!(pauses(&mut backoff, 0.0, 7), expected);
        assert_eq!(pauses(&mut backoff, 0.0, 100).last(), Some(&32_000), "and never overflow");
    }

    #[test]
    fn jitter_shortens_by_its_share_at_most() {
        let mut backoff = Backoff::new(Reconnect::default());
        assert_eq!(pauses(&mut backoff, 1.0, 3), [500, 1000, 2000]);
        for _ in 0..1000 {
            assert!((0.0..=1.0).contains(&chance()));
        }
        assert!(chance().to_bits() != chance().to_bits());
    }

    #[test]
    fn a_connection_that_held_makes_it_begin_anew() {
        let mut backoff = Backoff::new(Reconnect::default());
        pauses(&mut backoff, 0.0, 5);
        backoff.held(Duration::from_secs(19));
        assert_eq!(pauses(&mut backoff, 0.0, 1), [32_000]);
        backoff.held(Duration::from_secs(20));
        assert_eq!(pauses(&mut backoff, 0.0, 1), [1000]);
    }
}
