//! An outbox in memory: what waits in it does not outlive the program.

use std::collections::VecDeque;

use super::Outbox;
use crate::clock::Clock;
use crate::record::Record;

/// Keeps records in memory, and of too many the newest.
#[derive(Debug)]
pub struct Memory {
    records: VecDeque<Record>,
    bytes: u64,
    max_bytes: u64,
}

impl Memory {
    /// An outbox that takes up at most `max_bytes`, or one record if that is larger.
    pub fn new(max_bytes: u64) -> Self {
        Self { records: VecDeque::new(), bytes: 0, max_bytes }
    }

    fn drop_oldest(&mut self) {
        if let Some(record) = self.records.pop_front() {
            self.bytes = self.bytes.saturating_sub(record.size());
        }
    }
}

impl Outbox for Memory {
    fn push(&mut self, record: Record) -> u64 {
        self.bytes += record.size();
        self.records.push_back(record);
        let mut dropped = 0;
        while self.bytes > self.max_bytes && self.records.len() > 1 {
            self.drop_oldest();
            dropped += 1;
        }
        dropped
    }

    fn after(&self, sequence: u64) -> Option<&Record> {
        let place = self.records.partition_point(|record| record.sequence <= sequence);
        self.records.get(place)
    }

    fn acknowledge(&mut self, through: u64) -> u64 {
        let before = self.records.len();
        while self.records.front().is_some_and(|record| record.sequence <= through) {
            self.drop_oldest();
        }
        (before - self.records.len()) as u64
    }

    fn settle(&mut self, clock: &dyn Clock) {
        for record in &mut self.records {
            record.stamp.settle(clock);
        }
    }

    fn len(&self) -> usize {
        self.records.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::BootTime;
    use crate::clock::fake::FakeClock;
    use crate::record::Stamp;
    use crate::sensor::SensorError;

    fn record(sequence: u64, text: usize) -> Record {
        Record {
            sequence,
            sensor: 0,
            stamp: Stamp::at(BootTime::default()),
            reading: Err(SensorError("x".repeat(text))),
        }
    }

    /// Numbers that look random and are the same each time (xorshift).
    fn chance(state: &mut u64) -> u64 {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state
    }

    #[test]
    fn it_behaves_as_a_plain_list_does() {
        let mut state = 0x9e37_79b9_7f4a_7c15;
        for _ in 0..50 {
            let max_bytes = chance(&mut state) % 4000;
            let (mut outbox, mut list) = (Memory::new(max_bytes), Vec::<Record>::new());
            let (mut sequence, mut dropped, mut gone) = (0, 0, 0);
            for _ in 0..200 {
                if chance(&mut state) & 3 != 0 {
                    sequence += 1 + chance(&mut state) % 2 * 1000;
                    let record =
                        record(sequence, usize::try_from(chance(&mut state) % 300).unwrap());
                    list.push(record.clone());
                    while list.len() > 1 && list.iter().map(Record::size).sum::<u64>() > max_bytes {
                        list.remove(0);
                        dropped += 1;
                    }
                    dropped -= outbox.push(record);
                } else {
                    let through = sequence.saturating_sub(chance(&mut state) % 2000);
                    let before = list.len();
                    list.retain(|record| record.sequence > through);
                    gone += before - list.len();
                    gone -= usize::try_from(outbox.acknowledge(through)).unwrap();
                }
                let after = chance(&mut state) % (sequence + 2);
                assert_eq!(outbox.after(after), list.iter().find(|record| record.sequence > after));
                assert_eq!((outbox.len(), dropped, gone), (list.len(), 0, 0));
            }
        }
    }

    #[test]
    fn one_record_is_kept_however_large() {
        let mut outbox = Memory::new(0);
        assert_eq!(outbox.push(record(1, 1000)), 0);
        assert_eq!(outbox.push(record(2, 1000)), 1);
        assert_eq!(outbox.after(0).unwrap().sequence, 2);
    }

    #[test]
    fn all_that_wait_are_settled() {
        let mut outbox = Memory::new(10_000);
        outbox.push(record(1, 1));
        outbox.push(record(2, 1));
        outbox.settle(&FakeClock::at(1, 1000));
        assert!(outbox.records.iter().all(|record| record.stamp.utc.is_some()));
    }
}
