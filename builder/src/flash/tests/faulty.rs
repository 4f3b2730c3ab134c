//! A card of memory that has every fault.

use std::io;

use rustix::io::Errno;

use crate::flash::target::Target;

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Nothing,
    /// It has so many bytes, and what lies beyond wraps around.
    Wraps(u64),
    /// It has so many bytes, and forgets what lies beyond.
    Ends(u64),
    /// Writing at this offset fails.
    Write(u64),
    /// Reading at this offset fails.
    Read(u64),
    /// It is taken out once this offset is written.
    TakenOut(u64),
    /// It is taken out, and its reader stays, once this offset is read.
    TakenOutReading(u64),
    /// One bit at this offset changes once written.
    Flips(u64),
    /// One bit at this offset is read wrong the first time.
    Unsteady(u64),
    /// It takes few bytes at once.
    Short,
}

#[derive(Debug)]
pub(super) struct Faulty {
    pub(super) memory: Vec<u8>,
    pub(super) unit: usize,
    fault: Fault,
    there: bool,
    /// Every write, in order.
    pub(super) writes: Vec<(u64, usize)>,
}

impl Faulty {
    /// A card of this length that was used before.
    pub(super) fn new(length: usize, fault: Fault) -> Self {
        Self { memory: vec![0xA5; length], unit: 512, fault, there: true, writes: Vec::new() }
    }

    /// Where the stretch that begins here really lies, and how much of it is in one piece; none if nowhere.
    fn place(&self, at: u64, length: usize) -> Option<std::ops::Range<usize>> {
        let (at, end) = match self.fault {
            Fault::Wraps(end) => (at % end, end),
            Fault::Ends(end) if at >= end => return None,
            Fault::Ends(end) => (at, end),
            _ => (at, self.length()),
        };
        let [at, end] = [at, end].map(|it| usize::try_from(it).unwrap());
        Some(at..end.min(at + length))
    }

    fn gone<T>(&mut self, errno: Errno) -> io::Result<T> {
        self.there = false;
        Err(errno.into())
    }
}

fn holds(offset: u64, bytes: &[u8], at: u64) -> bool {
    (offset..offset + bytes.len() as u64).contains(&at)
}

impl Target for Faulty {
    fn length(&self) -> u64 {
        self.memory.len() as u64
    }

    fn unit(&self) -> usize {
        self.unit
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        assert!(offset.is_multiple_of(self.unit as u64) && bytes.len().is_multiple_of(self.unit));
        let bytes = match self.fault {
            Fault::TakenOut(at) if holds(offset, bytes, at) => return self.gone(Errno::IO),
            Fault::Write(at) if at == offset => return Err(Errno::IO.into()),
            // as the kernel does: what lies before the fault is written
            Fault::Write(at) if holds(offset, bytes, at) => {
                &bytes[..usize::try_from(at - offset).unwrap()]
            }
            Fault::Short => &bytes[..bytes.len().min(3 * self.unit)],
            _ => bytes,
        };
        self.writes.push((offset, bytes.len()));
        let mut done = 0;
        while let Some(place) = self.place(offset + done as u64, bytes.len() - done)
            && done < bytes.len()
        {
            let next = done + place.len();
            self.memory[place].copy_from_slice(&bytes[done..next]);
            done = next;
        }
        if let Fault::Flips(at) = self.fault
            && holds(offset, bytes, at)
        {
            self.memory[usize::try_from(at).unwrap()] ^= 1;
        }
        Ok(bytes.len())
    }

    fn read_at(&mut self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        assert!(offset.is_multiple_of(self.unit as u64) && bytes.len().is_multiple_of(self.unit));
        match self.fault {
            Fault::Read(at) if holds(offset, bytes, at) => return Err(Errno::IO.into()),
            Fault::TakenOutReading(at) if holds(offset, bytes, at) => {
                return self.gone(Errno::NOMEDIUM);
            }
            _ => {}
        }
        let length = if self.fault == Fault::Short { self.unit } else { bytes.len() };
        bytes[..length].fill(0);
        let mut done = 0;
        while let Some(place) = self.place(offset + done as u64, length - done)
            && done < length
        {
            let next = done + place.len();
            bytes[done..next].copy_from_slice(&self.memory[place]);
            done = next;
        }
        if let Fault::Unsteady(at) = self.fault
            && holds(offset, &bytes[..length], at)
        {
            bytes[usize::try_from(at - offset).unwrap()] ^= 1;
            self.fault = Fault::Nothing;
        }
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn is_there(&self) -> bool {
        self.there
    }
}
