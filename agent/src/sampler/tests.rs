use std::cell::Cell;

use super::schedule::next_after;
use super::*;
use crate::sensor::{Measurement, Quantity, Reading, Sensor};

/// Time that passes only while somebody rests or a sensor is slow, and ends at a moment.
struct Simulated {
    now: Cell<Duration>,
    end: Duration,
}

impl Rest for &Simulated {
    fn now(&self) -> BootTime {
        BootTime(self.now.get())
    }

    fn rest(&self, time: Duration) -> Rested {
        self.now.set(self.now.get() + time);
        if self.now.get() < self.end { Rested::Passed } else { Rested::Over }
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

fn run_sensors(sensors: Vec<(Box<dyn Sensor>, u64)>, settled: BootTime, end: u64) -> Vec<Record> {
    let state = tempfile::tempdir().unwrap();
    let (sender, mut records) = tokio::sync::mpsc::unbounded_channel();
    let start = BootTime(Duration::from_secs(100));
    let schedule = |(sensor, interval)| Scheduled {
        id: "air".into(),
        sensor,
        interval: Duration::from_secs(interval),
        enabled: true,
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

#[test]
fn another_pace_holds_from_the_last_reading_on() {
    let at = |seconds| BootTime(Duration::from_secs(seconds));
    let scheduled = |interval, due| Scheduled {
        id: "air".into(),
        sensor: Box::new(Instant),
        interval: Duration::from_secs(interval),
        enabled: true,
        due: at(due),
        answered: true,
        failing: false,
    };
    let pace = |interval, enabled| Pace { interval: Duration::from_secs(interval), enabled };
    // read at 100, next at 110; told at 104
    for (interval, due) in [(60, 160), (5, 105), (2, 104)] {
        let mut sensor = scheduled(10, 110);
        sensor.pace(pace(interval, true), at(104));
        assert_eq!(sensor.due, at(due), "each {interval} s");
    }
    // one that is yet to answer is not put off
    let mut sensor = scheduled(10, 104);
    sensor.answered = false;
    sensor.pace(pace(3600, true), at(104));
    assert_eq!(sensor.due, at(104));
    // one that rested is read at once when it is wanted again
    let mut sensor = scheduled(10, 110);
    sensor.pace(pace(10, false), at(104));
    sensor.pace(pace(10, true), at(500));
    assert_eq!(sensor.due, at(500));
}
