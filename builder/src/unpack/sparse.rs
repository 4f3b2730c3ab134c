//! Writes what is unpacked into a sparse file, and hashes it on the way, on another processor.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use anyhow::{Context, ensure};
use sha2::{Digest, Sha256};

use crate::interrupt;

/// What came out of a compressed image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extracted {
    /// Bytes.
    pub length: u64,
    /// The SHA-256 of them.
    pub sha256: [u8; 32],
}

/// What is read at once.
const STEP: usize = 1 << 20;
/// How many such steps the hash may be behind.
const BEHIND: usize = 8;
/// The smallest hole: a block of every file system that matters here.
const BLOCK: usize = 4 << 10;

/// Writes all that `reader` has into the empty `file`; runs of zeros become holes. More than `limit` bytes are
/// refused. `at` is told how many bytes there are so far.
pub fn into_sparse<R: Read>(
    reader: &mut R,
    file: &File,
    limit: u64,
    mut at: impl FnMut(&R, u64),
) -> anyhow::Result<Extracted> {
    std::thread::scope(|scope| {
        let (to_hash, hashed) = sync_channel::<Vec<u8>>(BEHIND);
        let (to_reuse, used) = channel();
        let hasher = scope.spawn(move || hash(&hashed, &to_reuse));
        let length = copy(reader, file, limit, &to_hash, &used, &mut at);
        drop(to_hash);
        let sha256 = hasher.join().expect("hashing does not panic");
        Ok(Extracted { length: length?, sha256 })
    })
}

fn hash(steps: &Receiver<Vec<u8>>, used: &Sender<Vec<u8>>) -> [u8; 32] {
    let mut digest = Sha256::new();
    for step in steps {
        digest.update(&step);
        // at the end nobody wants it back
        let _ = used.send(step);
    }
    digest.finalize().into()
}

fn copy<R: Read>(
    reader: &mut R,
    file: &File,
    limit: u64,
    to_hash: &SyncSender<Vec<u8>>,
    used: &Receiver<Vec<u8>>,
    at: &mut impl FnMut(&R, u64),
) -> anyhow::Result<u64> {
    let mut length = 0;
    loop {
        interrupt::check()?;
        let mut step = used.try_recv().unwrap_or_default();
        step.resize(STEP, 0);
        let read = fill(reader, &mut step)?;
        step.truncate(read);
        if read == 0 {
            break;
        }
        ensure!(
            length + read as u64 <= limit,
            "it unpacks to more than {limit} bytes, and no image of that kind is larger"
        );
        write_data(file, &step, length).context("writing the unpacked image")?;
        length += read as u64;
        // the other side goes on until this one is dropped
        let _ = to_hash.send(step);
        at(reader, length);
    }
    file.set_len(length).context("writing the unpacked image")?;
    Ok(length)
}

/// Reads until the buffer is full or there is no more.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Writes what is not zero, neighbouring blocks in one call.
fn write_data(file: &File, step: &[u8], at: u64) -> io::Result<()> {
    const ZEROS: [u8; BLOCK] = [0; BLOCK];
    let is_hole = |block: &[u8]| *block == ZEROS[..block.len()];
    let mut start = 0;
    while start < step.len() {
        let mut end = start;
        while end < step.len() && !is_hole(&step[end..step.len().min(end + BLOCK)]) {
            end = step.len().min(end + BLOCK);
        }
        file.write_all_at(&step[start..end], at + start as u64)?;
        // the hole that ended it
        start = end + BLOCK;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn unpack(bytes: &[u8], limit: u64) -> anyhow::Result<(Extracted, File)> {
        let file = tempfile::tempfile().unwrap();
        let extracted = into_sparse(&mut &bytes[..], &file, limit, |_, _| ())?;
        Ok((extracted, file))
    }

    fn read(file: &File) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(file.metadata().unwrap().len()).unwrap()];
        file.read_exact_at(&mut bytes, 0).unwrap();
        bytes
    }

    #[test]
    fn zeros_become_holes_wherever_they_lie() {
        let mut bytes = vec![0; 5 * STEP + 777];
        for at in [0, BLOCK - 1, 3 * BLOCK, STEP - 1, STEP, 3 * STEP + 5, 5 * STEP + 776] {
            bytes[at] = 7;
        }
        let (extracted, file) = unpack(&bytes, u64::MAX).unwrap();
        assert_eq!(extracted.length, bytes.len() as u64);
        assert_eq!(extracted.sha256, <[u8; 32]>::from(Sha256::digest(&bytes)));
        assert!(read(&file) == bytes);
        assert!(file.metadata().unwrap().blocks() * 512 <= 8 * BLOCK as u64);
    }

    #[test]
    fn zeros_at_the_end_count() {
        let (extracted, file) = unpack(&vec![0; 3 * STEP + 1], u64::MAX).unwrap();
        assert_eq!((extracted.length, file.metadata().unwrap().blocks()), (3 * STEP as u64 + 1, 0));
        assert_eq!(file.metadata().unwrap().len(), extracted.length);
        assert_eq!(unpack(&[], 0).unwrap().0.length, 0);
    }

    #[test]
    fn what_is_larger_than_its_limit_is_refused() {
        assert!(unpack(&[1; 4096], 4096).is_ok());
        let error = unpack(&[1; 4097], 4096).unwrap_err();
        assert!(error.to_string().starts_with("it unpacks to more than 4096 bytes"), "{error}");
    }
}
