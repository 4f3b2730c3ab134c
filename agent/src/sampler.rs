//! Reads each sensor at its interval, on a thread of its own.
//!
//! Readings keep to the schedule that began with the program: a slow sensor makes its own next reading
//! late, never the whole series, and readings that were missed are left out, not made up for in a bunch.
//!
//! While the machine starts, the kernel may not have found a sensor's bus yet. A sensor that has not
//! answered yet is then asked again and again, and its silence is told only when there was time enough.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use imgbuild_schema::card;
use tokio::sync::mpsc::UnboundedSender;
use tracing::{info, warn};

use crate::clock::{BootTime, Clock};
use crate::record::{Record, Stamp};
use crate::sensor::{self, Reading, Sensor};
use crate::sequence::Sequence;
use crate::watchdog::Pulse;

/// The longest the sampler sleeps, so that its pulse is felt.
const NAP: Duration = Duration::from_secs(1);

/// A program that begins within this time of the machine's start is part of it…
const STARTING: Duration = Duration::from_mins(5);

/// …and gives sensors this long to appear,
const GRACE: Duration = Duration::from_secs(90);

/// asking them so often.
const AGAIN: Duration = Duration::from_millis(500);

/// A sensor, how often to read it and when next.
struct Scheduled {
    id: String,
    sensor: Box<dyn Sensor>,
    interval: Duration,
    due: BootTime,
    answered: bool,
    failing: bool,
}

impl Scheduled {
    /// That a sensor fails is said when it begins and when it ends.
    fn notice(&mut self, reading: &Reading) {
        match reading {
            Err(error) if !self.failing => warn!(sensor = %self.id, %error, "sensor fails"),
            Ok(_) if self.failing => info!(sensor = %self.id, "sensor answers again"),
            _ => {}
        }
        self.failing = reading.is_err();
    }
}

/// How the sampler knows the time and passes it.
pub trait Rest {
    /// Time since the machine started.
    fn now(&self) -> BootTime;

    /// Lets time pass. False: it is time to end.
    fn rest(&self, time: Duration) -> bool;
}

/// Rests until the other end of the channel goes away.
struct UntilTold {
    clock: Arc<dyn Clock>,
    told: mpsc::Receiver<()>,
}

impl Rest for UntilTold {
    fn now(&self) -> BootTime {
        self.clock.boot()
    }

    fn rest(&self, time: Duration) -> bool {
        matches!(self.told.recv_timeout(time), Err(RecvTimeoutError::Timeout))
    }
}

/// Reads sensors.
struct Sampler {
    sensors: Vec<Scheduled>,
    settled: BootTime,
    sequence: Sequence,
    records: UnboundedSender<Record>,
}

impl Sampler {
    /// Reads until it is time to end; `beat` is called at least once a [`NAP`] while all is well.
    fn run(mut self, time: &impl Rest, beat: impl Fn()) {
        loop {
            beat();
            let now = time.now();
            let rest = match self.next_due() {
                Some((index, due)) if due <= now => {
                    if !self.sample(index, time) {
                        break;
                    }
                    Duration::ZERO
                }
                Some((_, due)) => due.0.saturating_sub(now.0).min(NAP),
                None => NAP,
            };
            if !time.rest(rest) {
                break;
            }
        }
        self.sequence.close();
    }

    fn next_due(&self) -> Option<(usize, BootTime)> {
        let due = self.sensors.iter().enumerate().map(|(index, sensor)| (index, sensor.due));
        due.min_by_key(|(_, due)| *due)
    }

    /// Reads one sensor and sends what it says. False: nobody listens any more.
    fn sample(&mut self, index: usize, time: &impl Rest) -> bool {
        let scheduled = &mut self.sensors[index];
        let stamp = Stamp::at(time.now());
        let reading = scheduled.sensor.read();
        scheduled.answered |= reading.is_ok();
        if !scheduled.answered && time.now() < self.settled {
            scheduled.due = BootTime(time.now().0 + AGAIN);
            return true;
        }
        scheduled.notice(&reading);
        scheduled.due = next_after(scheduled.due, scheduled.interval, time.now());
        let sequence = self.sequence.next_number();
        self.records.send(Record { sequence, sensor: index, stamp, reading }).is_ok()
    }
}

/// When every sensor should be there, for a program that begins now.
fn settled(now: BootTime) -> BootTime {
    if now.0 < STARTING { BootTime(now.0 + GRACE) } else { now }
}

/// The first moment of a schedule after `now`.
fn next_after(due: BootTime, interval: Duration, now: BootTime) -> BootTime {
    let late = now.0.saturating_sub(due.0);
    let missed = late.as_nanos() / interval.as_nanos().max(1);
    let intervals = u32::try_from(missed).unwrap_or(u32::MAX).saturating_add(1);
    BootTime(due.0.saturating_add(interval.saturating_mul(intervals)))
}

/// The sampler's thread.
#[derive(Debug)]
pub struct Running {
    tell: mpsc::Sender<()>,
    ended: tokio::sync::oneshot::Receiver<()>,
}

/// Starts the thread.
pub fn start(
    sensors: &[card::Sensor],
    root: &Path,
    sequence: Sequence,
    clock: Arc<dyn Clock>,
    pulse: Arc<Pulse>,
    records: UnboundedSender<Record>,
) -> std::io::Result<Running> {
    let schedule = |sensor: &card::Sensor| Scheduled {
        id: sensor.id.to_string(),
        sensor: sensor::sensor(&sensor.driver, root),
        interval: sensor.interval.get(),
        due: clock.boot(),
        answered: false,
        failing: false,
    };
    let sensors = sensors.iter().map(schedule).collect();
    let sampler = Sampler { sensors, settled: settled(clock.boot()), sequence, records };
    let (tell, told) = mpsc::channel();
    let (end, ended) = tokio::sync::oneshot::channel();
    let time = UntilTold { clock, told };
    std::thread::Builder::new().name("sampler".into()).spawn(move || {
        sampler.run(&time, || pulse.beat());
        drop(end);
    })?;
    Ok(Running { tell, ended })
}

impl Running {
    /// Tells the thread to end, and waits for that. A sensor that does not return is left behind.
    pub async fn stop(self, patience: Duration) {
        drop(self.tell);
        let _ = tokio::time::timeout(patience, self.ended).await;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::sensor::{Measurement, Quantity, Reading};

    /// Time that passes only while somebody rests or a sensor is slow, and ends at a moment.
    struct Simulated {
        now: Cell<Duration>,
        end: Duration,
    }

    impl Rest for &Simulated {
        fn now(&self) -> BootTime {
            BootTime(self.now.get())
        }

        fn rest(&self, time: Duration) -> bool {
            self.now.set(self.now.get() + time);
            self.now.get() < self.end
        }
    }

    struct Instant;

    impl Sensor for Instant {
        fn read(&mut self) -> Reading {
            Ok(vec![Measurement { quantity: Quantity::Temperature, value: 20.0 }])
        }
    }

    fn seconds(moments: &[u64]) -> Vec<(usize, u64)> {
        moments.iter().map(|moment| (0, *moment)).collect()
    }

    /// A sensor that fails so many times before it answers.
    struct Late(usize);

    impl Sensor for Late {
        fn read(&mut self) -> Reading {
            if self.0 == 0 {
                return Instant.read();
            }
            self.0 -= 1;
            Err(crate::sensor::SensorError("not there".into()))
        }
    }

    /// Which sensor was read after how many seconds, in a machine that runs for a hundred already.
    fn run(intervals: &[u64], end: u64) -> Vec<(usize, u64)> {
        let sensors = intervals.iter().map(|interval| (Box::new(Instant) as _, *interval));
        let records = run_sensors(sensors.collect(), BootTime(Duration::ZERO), end);
        records.iter().map(|record| (record.sensor, seconds_of(record))).collect()
    }

    fn seconds_of(record: &Record) -> u64 {
        record.stamp.boot.0.as_secs() - 100
    }

    fn run_sensors(
        sensors: Vec<(Box<dyn Sensor>, u64)>,
        settled: BootTime,
        end: u64,
    ) -> Vec<Record> {
        let state = tempfile::tempdir().unwrap();
        let (sender, mut records) = tokio::sync::mpsc::unbounded_channel();
        let start = BootTime(Duration::from_secs(100));
        let schedule = |(sensor, interval)| Scheduled {
            id: "air".into(),
            sensor,
            interval: Duration::from_secs(interval),
            due: start,
            answered: false,
            failing: false,
        };
        let sampler = Sampler {
            sensors: sensors.into_iter().map(schedule).collect(),
            settled,
            sequence: Sequence::open(state.path()),
            records: sender,
        };
        let time = Simulated { now: Cell::new(start.0), end: Duration::from_secs(100 + end) };
        sampler.run(&&time, || {});
        let mut read = Vec::new();
        while let Ok(record) = records.try_recv() {
            assert_eq!(record.sequence, read.len() as u64 + 1);
            read.push(record);
        }
        read
    }

    #[test]
    fn a_sensor_that_appears_while_the_machine_starts_is_no_failure() {
        let sensor = |failures| vec![(Box::new(Late(failures)) as _, 10)];
        let settled = BootTime(Duration::from_secs(130));
        let records = run_sensors(sensor(7), settled, 10);
        // seven times, half a second apart, in vain
        assert_eq!((records.len(), seconds_of(&records[0])), (1, 3));
        assert!(records[0].reading.is_ok());
        // one that does not appear at all is told of once there was time enough
        let records = run_sensors(sensor(usize::MAX), settled, 45);
        assert!(records.iter().all(|record| record.reading.is_err()));
        assert_eq!(records.iter().map(seconds_of).collect::<Vec<_>>(), [30, 40]);
        // and a machine that runs for long has no sensors that are about to appear
        assert_eq!(settled_after(3_600), 3_600);
        assert_eq!(settled_after(20), 110);
    }

    fn settled_after(seconds: u64) -> u64 {
        settled(BootTime(Duration::from_secs(seconds))).0.as_secs()
    }

    #[test]
    fn each_sensor_is_read_at_once_and_then_at_its_interval() {
        assert_eq!(run(&[10], 31), seconds(&[0, 10, 20, 30]));
        assert_eq!(run(&[], 10), [], "and nothing to read is no reason to end");
        assert_eq!(run(&[2, 5], 6), [(0, 0), (1, 0), (0, 2), (0, 4), (1, 5)]);
    }

    #[test]
    fn what_was_missed_is_left_out_and_the_schedule_stays() {
        let at = |seconds| BootTime(Duration::from_secs(seconds));
        let interval = Duration::from_secs(10);
        assert_eq!(next_after(at(100), interval, at(100)), at(110));
        assert_eq!(next_after(at(100), interval, at(109)), at(110));
        assert_eq!(next_after(at(100), interval, at(110)), at(120));
        assert_eq!(next_after(at(100), interval, at(137)), at(140));
    }
}
