//! Reads each sensor at its interval, on a thread of its own.
//!
//! Readings keep to the schedule that began with the program: a slow sensor makes its own next reading
//! late, never the whole series, and readings that were missed are left out, not made up for in a bunch.
//!
//! While the machine starts, the kernel may not have found a sensor's bus yet. A sensor that has not
//! answered yet is then asked again and again, and its silence is told only when there was time enough.

mod schedule;

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use imgbuild_schema::card;
use tokio::sync::mpsc::UnboundedSender;

use crate::clock::{BootTime, Clock};
use crate::record::{Record, Stamp};
use crate::sensor;
use crate::sequence::Sequence;
use crate::watchdog::Pulse;
use schedule::{Scheduled, next_after};

pub use schedule::Pace;

/// The longest the sampler sleeps, so that its pulse is felt.
const NAP: Duration = Duration::from_secs(1);

/// A program that begins within this time of the machine's start is part of it…
const STARTING: Duration = Duration::from_mins(5);

/// …and gives sensors this long to appear,
const GRACE: Duration = Duration::from_secs(90);

/// asking them so often.
const AGAIN: Duration = Duration::from_millis(500);

/// How the sampler knows the time and passes it.
pub trait Rest {
    /// Time since the machine started.
    fn now(&self) -> BootTime;

    /// Lets time pass.
    fn rest(&self, time: Duration) -> Rested;
}

/// How a rest ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rested {
    /// The time has passed.
    Passed,
    /// Sensors are to be read at another pace, each of them in the order of the profile.
    Told(Vec<Pace>),
    /// It is time to end.
    Over,
}

/// What the thread is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Read the sensors at this pace, each of them in the order of the profile.
    Pace(Vec<Pace>),
    /// End.
    End,
}

/// The way by which the thread is told.
#[derive(Debug)]
pub struct Orders {
    tell: mpsc::Sender<Order>,
    told: mpsc::Receiver<Order>,
}

impl Default for Orders {
    fn default() -> Self {
        let (tell, told) = mpsc::channel();
        Self { tell, told }
    }
}

impl Orders {
    /// Tells the thread what to do; before it has begun, too.
    pub fn sender(&self) -> mpsc::Sender<Order> {
        self.tell.clone()
    }
}

/// Rests until it is told something.
struct UntilTold {
    clock: Arc<dyn Clock>,
    told: mpsc::Receiver<Order>,
}

impl Rest for UntilTold {
    fn now(&self) -> BootTime {
        self.clock.boot()
    }

    fn rest(&self, time: Duration) -> Rested {
        match self.told.recv_timeout(time) {
            Ok(Order::Pace(paces)) => Rested::Told(paces),
            Err(RecvTimeoutError::Timeout) => Rested::Passed,
            Ok(Order::End) | Err(RecvTimeoutError::Disconnected) => Rested::Over,
        }
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
        let mut rest = Duration::ZERO;
        loop {
            // what it was told before it began comes before the first reading
            match time.rest(rest) {
                Rested::Passed => {}
                Rested::Told(paces) => self.pace(&paces, time.now()),
                Rested::Over => break,
            }
            beat();
            let now = time.now();
            rest = match self.next_due() {
                Some((index, due)) if due <= now => {
                    if !self.sample(index, time) {
                        break;
                    }
                    Duration::ZERO
                }
                Some((_, due)) => due.0.saturating_sub(now.0).min(NAP),
                None => NAP,
            };
        }
        self.sequence.close();
    }

    fn pace(&mut self, paces: &[Pace], now: BootTime) {
        for (scheduled, pace) in self.sensors.iter_mut().zip(paces) {
            let (interval, enabled) = (scheduled.interval, scheduled.enabled);
            // the others keep to their schedule
            if *pace != (Pace { interval, enabled }) {
                scheduled.pace(*pace, now);
            }
        }
    }

    fn next_due(&self) -> Option<(usize, BootTime)> {
        let sensors = self.sensors.iter().enumerate().filter(|(_, sensor)| sensor.enabled);
        sensors.map(|(index, sensor)| (index, sensor.due)).min_by_key(|(_, due)| *due)
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

/// The sampler's thread.
#[derive(Debug)]
pub struct Running {
    tell: mpsc::Sender<Order>,
    ended: tokio::sync::oneshot::Receiver<()>,
}

/// Starts the thread.
pub fn start(
    sensors: &[card::Sensor],
    root: &Path,
    sequence: Sequence,
    clock: Arc<dyn Clock>,
    pulse: Arc<Pulse>,
    orders: Orders,
    records: UnboundedSender<Record>,
) -> std::io::Result<Running> {
    let schedule = |sensor: &card::Sensor| Scheduled {
        id: sensor.id.to_string(),
        sensor: sensor::sensor(&sensor.driver, root),
        interval: sensor.interval.get(),
        enabled: true,
        due: clock.boot(),
        answered: false,
        failing: false,
    };
    let sensors = sensors.iter().map(schedule).collect();
    let sampler = Sampler { sensors, settled: settled(clock.boot()), sequence, records };
    let Orders { tell, told } = orders;
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
        // a thread that has ended is told nothing
        let _ = self.tell.send(Order::End);
        let _ = tokio::time::timeout(patience, self.ended).await;
    }
}

#[cfg(test)]
mod tests;
