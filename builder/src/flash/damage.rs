//! What can be wrong with a card, and how it shows.

use std::fmt;
use std::io;

use rustix::io::Errno;

use super::buffer::Buffer;
use super::target::Target;
use super::written::{BLOCK, Print, Written, print};

/// A card that cannot be written, or does not keep what is.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// It is not in the machine any more.
    #[error(
        "the card was taken out, or its reader lost its power, while {doing} offset {0}",
        Place(*at)
    )]
    Gone {
        /// What was being done.
        doing: &'static str,
        /// Where.
        at: u64,
        /// What the system said.
        #[source]
        error: io::Error,
    },
    /// The system says that something failed.
    #[error(
        "{doing} offset {0} failed: the card is worn out or damaged there, or its reader or cable is: try another reader, then another card",
        Place(*at)
    )]
    Failed {
        /// What was being done.
        doing: &'static str,
        /// Where.
        at: u64,
        /// What the system said.
        #[source]
        error: io::Error,
    },
    /// The disk on which the file lies that stands for a card is full.
    #[error("there is no room for what belongs at offset {0}", Place(*at))]
    Full {
        /// Where.
        at: u64,
        /// What the system said.
        #[source]
        error: io::Error,
    },
    /// What was written at one place is found at another.
    #[error(
        "{differing}; what was written at offset {0} is found at offset {1} too: the card lies about its size, and has about {2} of the {3} it says: it is a counterfeit",
        Place(*written),
        Place(*found),
        Size(*length),
        Size(*said)
    )]
    Wraps {
        /// How much is not as it was written.
        differing: Differing,
        /// Where something was written.
        written: u64,
        /// Where it is found.
        found: u64,
        /// About how many bytes it has.
        length: u64,
        /// How many bytes it says that it has.
        said: u64,
    },
    /// Nothing is kept from some place on.
    #[error(
        "{differing}; from there on nothing was kept: the card lies about its size, and has about {0} of the {1} it says: it is a counterfeit, or broken",
        Size(differing.first),
        Size(*said)
    )]
    Ends {
        /// How much is not as it was written.
        differing: Differing,
        /// How many bytes it says that it has.
        said: u64,
    },
    /// A second look finds what the first did not.
    #[error(
        "{differing}; read once more, it is right: the card or its reader does not read reliably: try another reader or cable, then another card"
    )]
    Unsteady {
        /// How much is not as it was written.
        differing: Differing,
    },
    /// Some blocks are not what was written.
    #[error("{differing}: the card does not keep what is written to it: use another one")]
    Forgets {
        /// How much is not as it was written.
        differing: Differing,
    },
}

/// How much of a card is not as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Differing {
    /// How many blocks of [`BLOCK`] bytes.
    pub blocks: u64,
    /// Where the first of them lies.
    pub first: u64,
}

impl fmt::Display for Differing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { blocks, first } = self;
        let first = Place(*first);
        match blocks {
            1 => write!(f, "a block of {BLOCK} bytes is not as it was written, at offset {first}"),
            _ => write!(
                f,
                "{blocks} blocks of {BLOCK} bytes are not as they were written, the first at offset {first}"
            ),
        }
    }
}

/// An offset, in bytes and in what one can grasp.
struct Place(u64);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 1_000_000 {
            return write!(f, "{}", self.0);
        }
        write!(f, "{} ({})", self.0, Size(self.0))
    }
}

/// A size, as it is printed on cards: in powers of ten.
pub(super) struct Size(pub(super) u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = match self.0 {
            0..1_000 => return write!(f, "{} bytes", self.0),
            1_000..1_000_000 => (1_000, "kB"),
            1_000_000..1_000_000_000 => (1_000_000, "MB"),
            1_000_000_000..1_000_000_000_000 => (1_000_000_000, "GB"),
            _ => (1_000_000_000_000, "TB"),
        };
        write!(f, "{}.{} {name}", self.0 / unit, self.0 % unit / (unit / 10))
    }
}

impl Damage {
    /// What a failure of the system at an offset means.
    pub(super) fn of(target: &dyn Target, doing: &'static str, at: u64, error: io::Error) -> Self {
        let gone = matches!(
            Errno::from_io_error(&error),
            Some(Errno::NODEV | Errno::NXIO | Errno::NOMEDIUM)
        );
        match error.kind() {
            _ if gone || !target.is_there() => Self::Gone { doing, at, error },
            io::ErrorKind::StorageFull => Self::Full { at, error },
            _ => Self::Failed { doing, at, error },
        }
    }
}

/// Writes all of `bytes`.
pub(super) fn write(target: &mut dyn Target, offset: u64, bytes: &[u8]) -> Result<(), Damage> {
    let mut done = 0;
    while done < bytes.len() {
        let at = offset + done as u64;
        let wrote = match target.write_at(at, &bytes[done..]) {
            Ok(0) => Err(io::ErrorKind::WriteZero.into()),
            result => result,
        };
        match wrote {
            Ok(length) => done += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Damage::of(target, "writing at", at, error)),
        }
    }
    Ok(())
}

/// Fills `bytes` with what the card has.
pub(super) fn read(target: &mut dyn Target, offset: u64, bytes: &mut [u8]) -> Result<(), Damage> {
    let mut done = 0;
    while done < bytes.len() {
        let at = offset + done as u64;
        let read = match target.read_at(at, &mut bytes[done..]) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            result => result,
        };
        match read {
            Ok(length) => done += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Damage::of(target, "reading back at", at, error)),
        }
    }
    Ok(())
}

/// Waits until the card has everything.
pub(super) fn flush(target: &mut dyn Target, at: u64) -> Result<(), Damage> {
    target.flush().map_err(|error| Damage::of(target, "flushing what was written up to", at, error))
}

/// What came back other than it was written.
#[derive(Debug, Default)]
pub(super) struct Differences {
    /// How many blocks.
    pub(super) blocks: u64,
    /// Where some of them lie, and what is there; the first one first.
    pub(super) found: Vec<(u64, Print)>,
}

/// How many differences are looked at closely.
const LOOKED_AT: usize = 1 << 16;

impl Differences {
    pub(super) fn note(&mut self, offset: u64, found: Print) {
        self.blocks += 1;
        if self.found.len() < LOOKED_AT {
            self.found.push((offset, found));
        }
    }

    /// The fault that these look like; none if there are none.
    pub(super) fn cause(&self, written: &Written, target: &mut dyn Target) -> Option<Damage> {
        let (first, as_found) = *self.found.first()?;
        let differing = Differing { blocks: self.blocks, first };
        let said = target.length();
        let displaced = self.displaced(written);
        // a card that wraps around shows zeros and blocks that come more than once as well
        if displaced.len() * 8 >= self.found.len()
            && let Some(&(found, written)) = displaced.first()
        {
            let distances = displaced.iter().map(|(found, written)| written.abs_diff(*found));
            let length = distances.min().unwrap_or_default();
            return Some(Damage::Wraps { differing, written, found, length, said });
        }
        if self.blocks > 16 && self.blocks >= written.blocks_from(first) {
            return Some(Damage::Ends { differing, said });
        }
        let mut buffer = Buffer::new(BLOCK);
        let steady = read(target, first, &mut buffer).is_ok() && print(&buffer) == as_found;
        Some(if steady { Damage::Forgets { differing } } else { Damage::Unsteady { differing } })
    }

    /// Where a block was found that was written at another place, and which that is.
    fn displaced(&self, written: &Written) -> Vec<(u64, u64)> {
        let places = written.places();
        let found = self.found.iter();
        found.filter_map(|(offset, print)| Some((*offset, *places.get(print)?))).collect()
    }
}
