//! A partition as a file of its own: a window on the image, read-only.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// A stretch of an image that reads like a file of its own. Cheap to clone: clones share the open
/// file, not the position.
#[derive(Clone, Debug)]
pub struct Window {
    file: Arc<File>,
    offset: u64,
    length: u64,
    position: u64,
}

impl Window {
    /// The `length` bytes of `file` from `offset` on.
    pub fn new(file: Arc<File>, offset: u64, length: u64) -> Self {
        Self { file, offset, length, position: 0 }
    }

    /// How long it is, in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Fills `buffer` from `start`; refuses to read beyond the end.
    pub fn read_at(&self, start: u64, buffer: &mut [u8]) -> io::Result<()> {
        let wanted = buffer.len() as u64;
        if start.checked_add(wanted).is_none_or(|end| end > self.length) {
            let message =
                format!("{wanted} bytes at {start} are not within a partition of {}", self.length);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
        }
        self.file.read_exact_at(buffer, self.offset + start)
    }
}

impl Read for Window {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.length.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let count = self.file.read_at(&mut buffer[..wanted], self.offset + self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Window {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(distance) => self.position.checked_add_signed(distance),
            SeekFrom::End(distance) => self.length.checked_add_signed(distance),
        };
        self.position = position.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}

impl ext4_view::Ext4Read for Window {
    fn read(
        &mut self,
        start: u64,
        buffer: &mut [u8],
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync + 'static>> {
        Ok(self.read_at(start, buffer)?)
    }
}

// hadris-fat reads through these traits when it is built without the standard library

impl embedded_io::ErrorType for Window {
    type Error = io::Error;
}

impl embedded_io::Read for Window {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Read::read(self, buffer)
    }
}

impl embedded_io::Seek for Window {
    fn seek(&mut self, to: embedded_io::SeekFrom) -> io::Result<u64> {
        Seek::seek(self, to.into())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn window() -> Window {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"before|inside|after").unwrap();
        Window::new(Arc::new(file), 7, 6)
    }

    #[test]
    fn only_the_inside_is_read() {
        let mut text = String::new();
        window().read_to_string(&mut text).unwrap();
        assert_eq!(text, "inside");
    }

    #[test]
    fn positions_count_from_its_own_start() {
        let mut window = window();
        assert_eq!(window.seek(SeekFrom::End(-2)).unwrap(), 4);
        let mut text = String::new();
        Read::read_to_string(&mut window, &mut text).unwrap();
        assert_eq!(text, "de");
        assert!(window.seek(SeekFrom::Current(-7)).is_err());
    }

    #[test]
    fn a_read_that_leaves_it_is_refused() {
        let mut buffer = [0; 4];
        assert!(window().read_at(2, &mut buffer).is_ok());
        assert_eq!(
            window().read_at(3, &mut buffer).unwrap_err().to_string(),
            "4 bytes at 3 are not within a partition of 6"
        );
        assert!(window().read_at(u64::MAX, &mut buffer).is_err());
    }
}
