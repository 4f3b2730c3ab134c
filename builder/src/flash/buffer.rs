//! Memory that a disk can write from and read into by itself.

use std::ops::{Deref, DerefMut};

/// What every disk is content with.
pub(super) const ALIGNMENT: usize = 4096;

/// Bytes at an address that is a multiple of [`ALIGNMENT`], as reads and writes past the page cache want.
#[derive(Debug)]
pub(super) struct Buffer {
    memory: Vec<u8>,
    start: usize,
    length: usize,
}

impl Buffer {
    /// So many zeros.
    pub(super) fn new(length: usize) -> Self {
        let memory = vec![0; length + ALIGNMENT];
        // the memory never moves: the vector never grows
        let start = memory.as_ptr().align_offset(ALIGNMENT);
        Self { memory, start, length }
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory[self.start..self.start + self.length]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.memory[self.start..self.start + self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lies_where_a_disk_wants_it() {
        for length in [1, 4096, 5000] {
            let mut buffer = Buffer::new(length);
            assert_eq!(buffer.as_ptr() as usize % ALIGNMENT, 0);
            assert_eq!(buffer.len(), length);
            buffer[length - 1] = 1;
        }
    }
}
