//! Where readings wait until the cloud has acknowledged them.
//!
//! An outbox keeps no place: whoever sends asks for what comes after the last number it has sent, and
//! starts again from the beginning on a new connection. So nothing has to be rewound.

mod memory;

use std::cell::{Cell, RefCell};

use tokio::sync::Notify;
use tracing::{info, warn};

use crate::clock::Clock;
use crate::record::Record;

pub use memory::Memory;

/// Keeps records in the order of their numbers.
pub trait Outbox {
    /// Takes a record in, and says how many older ones had to go for it.
    fn push(&mut self, record: Record) -> u64;

    /// The first record with a higher number.
    fn after(&self, sequence: u64) -> Option<&Record>;

    /// Lets go of every record up to a number, and says how many that were.
    fn acknowledge(&mut self, through: u64) -> u64;

    /// Gives every record the time of day it was taken at.
    fn settle(&mut self, clock: &dyn Clock);

    /// How many records wait.
    fn len(&self) -> usize;

    /// Does none wait?
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The outbox as the tasks share it: one puts in, the other takes out.
#[derive(Debug)]
pub struct Shared<O> {
    outbox: RefCell<O>,
    filled: Notify,
    /// Whether the clock is right, so that new records get the time of day at once.
    settled: Cell<bool>,
    dropped: Cell<u64>,
    overflowing: Cell<bool>,
    highest: Cell<u64>,
}

impl<O: Outbox> Shared<O> {
    /// Shares an outbox.
    pub fn new(outbox: O) -> Self {
        Self {
            outbox: RefCell::new(outbox),
            filled: Notify::new(),
            settled: Cell::new(false),
            dropped: Cell::new(0),
            overflowing: Cell::new(false),
            highest: Cell::new(0),
        }
    }

    /// Takes a record in. That the outbox begins to overflow is said once.
    pub fn push(&self, mut record: Record, clock: &dyn Clock) {
        if self.settled.get() {
            record.stamp.settle(clock);
        }
        self.highest.set(record.sequence);
        let dropped = self.outbox.borrow_mut().push(record);
        self.dropped.set(self.dropped.get() + dropped);
        if dropped > 0 && !self.overflowing.replace(true) {
            warn!(queued = self.len(), "the outbox is full: the oldest readings go");
        }
        self.filled.notify_one();
    }

    /// The first record with a higher number.
    pub fn after(&self, sequence: u64) -> Option<Record> {
        self.outbox.borrow().after(sequence).cloned()
    }

    /// Waits until a record has been taken in since the last call.
    pub async fn filled(&self) {
        self.filled.notified().await;
    }

    /// Lets go of every record up to a number, and says how many that were.
    pub fn acknowledge(&self, through: u64) -> u64 {
        let gone = self.outbox.borrow_mut().acknowledge(through);
        if gone > 0 && self.overflowing.replace(false) {
            info!(dropped = self.dropped(), "the outbox has room again");
        }
        gone
    }

    /// The clock is right: every record, and each from now on, gets the time of day it was taken at.
    pub fn settle(&self, clock: &dyn Clock) {
        self.settled.set(true);
        self.outbox.borrow_mut().settle(clock);
    }

    /// How many records wait.
    pub fn len(&self) -> usize {
        self.outbox.borrow().len()
    }

    /// Does none wait?
    pub fn is_empty(&self) -> bool {
        self.outbox.borrow().is_empty()
    }

    /// How many had to go unsent.
    pub fn dropped(&self) -> u64 {
        self.dropped.get()
    }

    /// The highest number taken in so far.
    pub fn highest(&self) -> u64 {
        self.highest.get()
    }
}
