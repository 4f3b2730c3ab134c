//! Two times: how long the machine has been up, which is always right, and the time of day, which on a
//! Raspberry Pi is wrong until somebody sets it.
//!
//! A sample is stamped with the first. The second follows from it once the clock is right ([`gate`]), so
//! that samples from before that moment get the time of day they were really taken at.

pub mod gate;

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};

/// Time since the machine started, sleep included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct BootTime(pub Duration);

/// Time of day, since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Utc(pub Duration);

/// Where the times come from.
pub trait Clock: Send + Sync {
    /// Time since the machine started.
    fn boot(&self) -> BootTime;

    /// What the clock says the time of day is, right or wrong.
    fn utc(&self) -> Utc;

    /// The time of day at a moment since the machine started, by the clock as it stands.
    fn utc_at(&self, moment: BootTime) -> Utc {
        let (now, utc) = (self.boot(), self.utc());
        Utc((utc.0 + moment.0).saturating_sub(now.0))
    }
}

/// The kernel's clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn boot(&self) -> BootTime {
        // Linux has had this clock since 2.6.39: asking for it cannot fail
        BootTime(clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from).unwrap_or_default())
    }

    fn utc(&self) -> Utc {
        Utc::from(SystemTime::now())
    }
}

impl From<SystemTime> for Utc {
    /// Anything before 1970 counts as 1970: both are equally wrong.
    fn from(time: SystemTime) -> Self {
        Self(time.duration_since(UNIX_EPOCH).unwrap_or_default())
    }
}

impl Utc {
    /// Seconds since 1970 with exactly three decimals.
    pub fn seconds(self) -> String {
        format!("{}.{:03}", self.0.as_secs(), self.0.subsec_millis())
    }
}

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (year, month, day) = date(seconds / 86_400);
        let (hour, minute) = (seconds / 3_600 % 24, seconds / 60 % 60);
        write!(f, "{year}-{month:02}-{day:02} {hour:02}:{minute:02} UTC")
    }
}

/// The date of a day since 1970. A year is counted from March, so that the leap day is its last.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468; // since 0000-03-01
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153; // 0 is March
    let day = of_year - (153 * month + 2) / 5 + 1;
    let january_or_february = u64::from(month >= 10);
    (era * 400 + year + january_or_february, (month + 2) % 12 + 1, day)
}

/// Days from 1970 to a date; none for dates before that.
pub(crate) fn days_to(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = if month <= 2 { year.checked_sub(1)? } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day.checked_sub(1)?;
    (year * 365 + year / 4 - year / 100 + year / 400 + of_year).checked_sub(719_468)
}

#[cfg(test)]
pub(crate) mod fake {
    use std::sync::Mutex;

    use super::*;

    /// A clock that stands until it is moved.
    #[derive(Debug, Default)]
    pub(crate) struct FakeClock(Mutex<(Duration, Duration)>);

    impl FakeClock {
        pub(crate) fn at(boot: u64, utc: u64) -> Self {
            Self(Mutex::new((Duration::from_secs(boot), Duration::from_secs(utc))))
        }

        pub(crate) fn pass(&self, time: Duration) {
            let mut now = self.0.lock().unwrap();
            now.0 += time;
            now.1 += time;
        }

        pub(crate) fn set_utc(&self, utc: u64) {
            self.0.lock().unwrap().1 = Duration::from_secs(utc);
        }
    }

    impl Clock for FakeClock {
        fn boot(&self) -> BootTime {
            BootTime(self.0.lock().unwrap().0)
        }

        fn utc(&self) -> Utc {
            Utc(self.0.lock().unwrap().1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fake::FakeClock;
    use super::*;

    #[test]
    fn dates_come_and_go_through_leap_years() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00 UTC"),
            (951_782_400, "2000-02-29 00:00 UTC"),
            (1_581_417_910, "2020-02-11 10:45 UTC"),
            (4_107_542_399, "2100-02-28 23:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00 UTC"),
        ] {
            assert_eq!(Utc(Duration::from_secs(seconds)).to_string(), text);
        }
        for days in 0..80_000 {
            let (year, month, day) = date(days);
            assert_eq!(days_to(year, month, day), Some(days));
        }
    }

    #[test]
    fn a_sample_from_before_the_clock_was_set_gets_the_time_it_was_taken_at() {
        let clock = FakeClock::at(12, 0);
        let taken = clock.boot();
        clock.pass(Duration::from_secs(30));
        clock.set_utc(1_581_417_940);
        assert_eq!(clock.utc_at(taken).seconds(), "1581417910.000");
    }

    #[test]
    fn seconds_have_three_decimals() {
        assert_eq!(Utc(Duration::from_millis(1_581_417_910_250)).seconds(), "1581417910.250");
        assert_eq!(Utc(Duration::from_millis(5)).seconds(), "0.005");
    }

    #[test]
    fn the_machine_has_been_up_for_a_while() {
        assert!(SystemClock.boot() > BootTime::default());
    }
}
