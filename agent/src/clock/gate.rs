//! Is the clock right?
//!
//! Nobody can know, but there are those who vouch for it:
//!
//! - systemd-timesyncd, which leaves `/run/systemd/timesync/synchronized` when it has asked a server;
//! - whoever started the machine with `systemd.clock_usec=`, as emulators do;
//! - a clock chip (`/dev/rtc0`), if it has not lost its power since the profile was written;
//! - whoever moved the clock while we watched, as every other time service does at its first answer.
//!
//! If nobody does, time may be blocked on this network, and a device that publishes a little beside the
//! time is worth more than a silent one: when [`Gate::patience`] is over, a clock that is not before the
//! profile is taken for right. TLS will still refuse a clock that is far off.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing::{info, warn};

use super::{BootTime, Clock, Utc};

/// How often to look.
const LOOK: Duration = Duration::from_millis(250);

/// A clock that moves by this much against the time since boot was set by somebody.
const STEP: Duration = Duration::from_mins(1);

/// Watches over the clock.
#[derive(Clone, Debug)]
pub struct Gate {
    /// The machine's files lie below this folder.
    pub root: PathBuf,
    /// When the profile was written: the clock cannot be right before that.
    pub written: Utc,
    /// How long to wait for somebody to vouch.
    pub patience: Duration,
}

/// Who vouches for the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voucher {
    /// systemd-timesyncd has asked a time server.
    TimeService,
    /// Who started the machine gave it the time.
    Starter,
    /// A clock chip has kept it.
    ClockChip,
    /// Somebody set it while we watched.
    Somebody,
    /// Nobody, but it is not before the profile either.
    Nobody,
}

impl Voucher {
    fn name(self) -> &'static str {
        match self {
            Self::TimeService => "time service",
            Self::Starter => "who started the machine",
            Self::ClockChip => "clock chip",
            Self::Somebody => "who set it",
            Self::Nobody => "nobody",
        }
    }
}

impl Gate {
    /// Waits until the clock is taken for right, and says who vouches for it.
    pub async fn wait(&self, clock: &dyn Clock) -> Voucher {
        let (start, offset) = (clock.boot(), offset(clock));
        let mut waiting = false;
        loop {
            if let Some(voucher) = self.voucher(clock, start, offset) {
                announce(voucher, clock, waiting);
                return voucher;
            }
            if !waiting {
                waiting = true;
                info!(clock = %clock.utc(), "waiting for the right time");
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn voucher(
        &self,
        clock: &dyn Clock,
        start: BootTime,
        start_offset: Duration,
    ) -> Option<Voucher> {
        let plausible = clock.utc() >= self.written;
        if self.root.join("run/systemd/timesync/synchronized").exists() {
            Some(Voucher::TimeService)
        } else if started_with_time(&self.root) {
            Some(Voucher::Starter)
        } else if plausible && self.root.join("dev/rtc0").exists() {
            Some(Voucher::ClockChip)
        } else if plausible && offset(clock).abs_diff(start_offset) > STEP {
            Some(Voucher::Somebody)
        } else if plausible && clock.boot().0.saturating_sub(start.0) >= self.patience {
            Some(Voucher::Nobody)
        } else {
            None
        }
    }
}

/// When the machine started, by the clock as it stands.
fn offset(clock: &dyn Clock) -> Duration {
    clock.utc_at(BootTime::default()).0
}

fn started_with_time(root: &Path) -> bool {
    std::fs::read_to_string(root.join("proc/cmdline")).is_ok_and(|line| {
        line.split_whitespace().any(|word| word.starts_with("systemd.clock_usec="))
    })
}

fn announce(voucher: Voucher, clock: &dyn Clock, waited: bool) {
    if voucher == Voucher::Nobody {
        warn!(
            clock = %clock.utc(),
            hint = "if that is wrong, let the device reach a time server (UDP port 123)",
            "nobody vouches for the clock; going on with it"
        );
    } else if waited {
        info!(clock = %clock.utc(), by = voucher.name(), "the time is right");
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::clock::fake::FakeClock;

    const WRITTEN: u64 = 1_000_000;

    fn gate(root: &Path) -> Gate {
        Gate {
            root: root.to_owned(),
            written: Utc(Duration::from_secs(WRITTEN)),
            patience: Duration::from_mins(1),
        }
    }

    fn put(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_vouch_are_believed_at_once() {
        let clock = FakeClock::at(5, WRITTEN + 1);
        for (path, text, voucher) in [
            ("run/systemd/timesync/synchronized", "", Voucher::TimeService),
            ("proc/cmdline", "quiet systemd.clock_usec=1581417910250000 ro\n", Voucher::Starter),
            ("dev/rtc0", "", Voucher::ClockChip),
        ] {
            let root = tempfile::tempdir().unwrap();
            put(root.path(), path, text);
            assert_eq!(gate(root.path()).wait(&clock).await, voucher);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_set_while_we_watch_is_right() {
        let root = tempfile::tempdir().unwrap();
        let (gate, clock) = (gate(root.path()), FakeClock::at(5, 0));
        let set = async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            clock.set_utc(WRITTEN + 7);
        };
        let (voucher, ()) = tokio::join!(gate.wait(&clock), set);
        assert_eq!(voucher, Voucher::Somebody);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_while_a_clock_that_can_be_right_will_do_and_one_that_cannot_will_not() {
        let root = tempfile::tempdir().unwrap();
        let gate = gate(root.path());
        let start = BootTime(Duration::from_secs(5));

        let late = FakeClock::at(5 + 60, WRITTEN);
        assert_eq!(gate.voucher(&late, start, offset(&late)), Some(Voucher::Nobody));
        let early = FakeClock::at(5 + 59, WRITTEN);
        assert_eq!(gate.voucher(&early, start, offset(&early)), None);
        let wrong = FakeClock::at(5 + 3600, WRITTEN - 1);
        assert_eq!(gate.voucher(&wrong, start, offset(&wrong)), None);
        put(root.path(), "dev/rtc0", "");
        assert_eq!(gate.voucher(&wrong, start, offset(&wrong)), None, "a chip without a battery");
    }
}
