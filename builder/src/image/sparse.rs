//! Copies that stay as small as their source: shared where the file system can, else without its holes.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;

use anyhow::Context;
use rustix::fs::{SeekFrom, copy_file_range, ioctl_ficlone, seek};
use rustix::io::Errno;

use crate::interrupt;

/// Copies `from` into the empty file `into`: by reflink if the file system has it, else the mapped parts alone.
pub fn copy(from: &File, into: &File) -> anyhow::Result<()> {
    if ioctl_ficlone(into, from).is_ok() {
        return Ok(());
    }
    let length = from.metadata()?.len();
    into.set_len(length).context("making room")?;
    copy_part(from, 0..length, into, 0)
}

/// Copies what is mapped of a part of `from` to `into`, where it begins at `at`; there must be nothing but a hole.
pub(super) fn copy_part(from: &File, part: Range<u64>, into: &File, at: u64) -> anyhow::Result<()> {
    let mut done = part.start;
    while let Some((start, end)) = next_data(from, done, part.end)? {
        if start >= part.end {
            break;
        }
        let end = end.min(part.end);
        copy_data(from, start..end, into, at + (start - part.start))?;
        done = end;
    }
    Ok(())
}

/// The next stretch of data at or after `at`; none if there are only holes.
pub(crate) fn next_data(file: &File, at: u64, length: u64) -> io::Result<Option<(u64, u64)>> {
    if at >= length {
        return Ok(None);
    }
    match seek(file, SeekFrom::Data(at)) {
        Ok(start) => Ok(Some((start, seek(file, SeekFrom::Hole(start))?))),
        // no data from here on
        Err(Errno::NXIO) => Ok(None),
        // a file system that knows no holes
        Err(Errno::INVAL | Errno::OPNOTSUPP) => Ok(Some((at, length))),
        Err(error) => Err(error.into()),
    }
}

/// What is copied between two looks at whether we are to go on.
const STEP: usize = 64 << 20;

fn copy_data(from: &File, data: Range<u64>, into: &File, at: u64) -> anyhow::Result<()> {
    let (mut source, mut sink) = (data.start, at);
    while source < data.end {
        interrupt::check()?;
        let wanted = usize::try_from(data.end - source).unwrap_or(STEP).min(STEP);
        match copy_file_range(
            from.as_fd(),
            Some(&mut source),
            into.as_fd(),
            Some(&mut sink),
            wanted,
        ) {
            Ok(0) => {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the file became shorter",
                )
                .into());
            }
            Ok(_) => {}
            // two file systems, or one that has no such call
            Err(Errno::XDEV | Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS) => {
                return copy_through_memory(from, source..data.end, into, sink);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn copy_through_memory(
    from: &File,
    data: Range<u64>,
    into: &File,
    mut at: u64,
) -> anyhow::Result<()> {
    let mut buffer = vec![0; 1 << 20];
    let mut source = data.start;
    while source < data.end {
        interrupt::check()?;
        let wanted = buffer.len().min(usize::try_from(data.end - source).unwrap_or(usize::MAX));
        from.read_exact_at(&mut buffer[..wanted], source)?;
        into.write_all_at(&buffer[..wanted], at)?;
        source += wanted as u64;
        at += wanted as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileExt, MetadataExt};

    use super::*;

    #[test]
    fn a_copy_has_the_same_bytes_and_the_same_holes() {
        let source = tempfile::NamedTempFile::new().unwrap();
        source.as_file().set_len(64 << 20).unwrap();
        for at in [0, 5 << 20, (64 << 20) - 7] {
            source.as_file().write_all_at(b"content", at).unwrap();
        }
        let copied = tempfile::NamedTempFile::new().unwrap();
        copy(source.as_file(), copied.as_file()).unwrap();
        assert!(std::fs::read(source.path()).unwrap() == std::fs::read(copied.path()).unwrap());
        assert!(copied.as_file().metadata().unwrap().blocks() * 512 < 1 << 20);
    }

    #[test]
    fn a_part_of_a_file_begins_elsewhere() {
        let source = tempfile::tempfile().unwrap();
        source.set_len(8 << 20).unwrap();
        source.write_all_at(b"before", (2 << 20) - 6).unwrap();
        source.write_all_at(b"inside", 3 << 20).unwrap();
        source.write_all_at(b"over the end", (4 << 20) - 4).unwrap();
        for copy in [copy_part, copy_through_memory] {
            let copied = tempfile::tempfile().unwrap();
            copied.set_len(4 << 20).unwrap();
            copy(&source, 2 << 20..4 << 20, &copied, 1 << 20).unwrap();
            let mut bytes = vec![0; 4 << 20];
            copied.read_exact_at(&mut bytes, 0).unwrap();
            let found: Vec<usize> = (0..4 << 20).filter(|at| bytes[*at] != 0).collect();
            let wanted = (2 << 20..(2 << 20) + 6).chain((3 << 20) - 4..3 << 20);
            assert_eq!(found, wanted.collect::<Vec<_>>());
        }
    }

    #[test]
    fn nothing_but_a_hole_is_copied_too() {
        let source = tempfile::NamedTempFile::new().unwrap();
        source.as_file().set_len(1 << 20).unwrap();
        let copied = tempfile::NamedTempFile::new().unwrap();
        copy(source.as_file(), copied.as_file()).unwrap();
        assert_eq!(copied.as_file().metadata().unwrap().len(), 1 << 20);
    }
}
