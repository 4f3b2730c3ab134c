//! SHA-256 of what is written, and of files while something else is done.

use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use anyhow::ensure;
use sha2::{Digest, Sha256};

use crate::base::hex;
use crate::interrupt;

/// What is read at once.
pub(crate) const STEP: usize = 1 << 20;

/// How much was written, and its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) bytes: u64,
    /// In hexadecimal digits.
    pub(crate) sha256: String,
}

impl Written {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len() as u64, sha256: sha256(bytes) }
    }
}

/// The SHA-256 of some bytes in hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The SHA-256 of all that a reader has, in hexadecimal digits.
pub(crate) fn of_reader(mut reader: impl Read) -> io::Result<String> {
    let mut sink = Hashing::new(io::sink());
    io::copy(&mut reader, &mut sink)?;
    Ok(sink.finish().1.sha256)
}

/// The SHA-256 of a stretch of a file in hexadecimal digits. Asks between two steps, telling where it is, whether to
/// go on.
pub(crate) fn of_range(
    file: &File,
    stretch: Range<u64>,
    go_on: &dyn Fn(u64) -> anyhow::Result<()>,
) -> anyhow::Result<String> {
    let Range { start: mut at, end } = stretch;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; usize::try_from(end - at).unwrap_or(STEP).min(STEP)];
    while at < end {
        go_on(at)?;
        let wanted = buffer.len().min(usize::try_from(end - at).unwrap_or(usize::MAX));
        file.read_exact_at(&mut buffer[..wanted], at)?;
        digest.update(&buffer[..wanted]);
        at += wanted as u64;
    }
    Ok(hex(&digest.finalize()))
}

/// Passes on what is written, and hashes it.
#[derive(Debug)]
pub(crate) struct Hashing<W> {
    inner: W,
    digest: Sha256,
    bytes: u64,
}

impl<W: Write> Hashing<W> {
    pub(crate) fn new(inner: W) -> Self {
        Self { inner, digest: Sha256::new(), bytes: 0 }
    }

    pub(crate) fn finish(self) -> (W, Written) {
        let sha256 = hex(&self.digest.finalize());
        (self.inner, Written { bytes: self.bytes, sha256 })
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.digest.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// A file that is being hashed on another processor. Nobody waits for what nobody asks for: dropped, it
/// ends early.
#[derive(Debug)]
pub struct Background {
    thread: Option<JoinHandle<anyhow::Result<String>>>,
    unwanted: Arc<AtomicBool>,
}

impl Background {
    /// Begins to hash `file`.
    pub(crate) fn start(file: Arc<File>) -> Self {
        let unwanted = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&unwanted);
        let thread = std::thread::spawn(move || {
            let length = file.metadata()?.len();
            of_range(&file, 0..length, &|_| {
                ensure!(!seen.load(Ordering::Relaxed), "nobody waits for this hash");
                Ok(interrupt::check()?)
            })
        });
        Self { thread: Some(thread), unwanted }
    }

    /// The hash in hexadecimal digits, as soon as it is there.
    pub(crate) fn wait(mut self) -> anyhow::Result<String> {
        let thread = self.thread.take().expect("it is taken here alone");
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.unwanted.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-4's own example.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn every_way_comes_to_the_same_hash() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"-abc-").unwrap();
        assert_eq!(sha256(b"abc"), ABC);
        assert_eq!(of_reader(&b"abc"[..]).unwrap(), ABC);
        assert_eq!(of_range(&file, 1..4, &|_| Ok(())).unwrap(), ABC);
        file.set_len(4).unwrap();
        let whole = Background::start(Arc::new(file)).wait().unwrap();
        assert_eq!(whole, sha256(b"-abc"));
    }
}
