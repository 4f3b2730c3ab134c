//! What the two file systems of an image have in common for those who read them.

use std::io::{self, Write};

/// What lies at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link, and where it points.
    Link(String),
    /// A device, a pipe or a socket.
    Special,
}

/// What is known of a path beside its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// What lies there. A link is not followed.
    pub kind: Kind,
    /// The permission bits, without the type.
    pub mode: u16,
    /// The owner.
    pub uid: u32,
    /// The owner's group.
    pub gid: u32,
    /// The size in bytes.
    pub size: u64,
    /// Seconds since 1970 of the last change, where the file system knows the time zone of its times.
    pub modified: Option<i64>,
}

/// The most that is held in memory of a file, in bytes: ten times the list of a desktop's packages. A file of a
/// damaged image may say that it is of any size, and be a hole.
const MOST: usize = 64 << 20;

/// What was read of a file.
struct Held(Vec<u8>);

impl Write for Held {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MOST {
            let message = format!("it is larger than {} MiB, which no such file is", MOST >> 20);
            return Err(io::Error::other(message));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file system of an image, read-only. Paths count from its own root, with or without a leading
/// slash. What is not there is `None`, not an error.
pub trait Tree {
    /// Copies a file's content into `sink`, link followed; `None` if there is no such file.
    fn copy_to(&self, path: &str, sink: &mut dyn Write) -> anyhow::Result<Option<u64>>;

    /// What lies at a path, link not followed.
    fn metadata(&self, path: &str) -> anyhow::Result<Option<Metadata>>;

    /// The names in a folder, sorted; none if there is no such folder.
    fn list(&self, folder: &str) -> anyhow::Result<Vec<String>>;

    /// A file's content. For small files: a kernel is better copied into a sink.
    fn read(&self, path: &str) -> anyhow::Result<Option<Vec<u8>>> {
        let mut content = Held(Vec::new());
        Ok(self.copy_to(path, &mut content)?.map(|_| content.0))
    }

    /// A file's content as text; what is not UTF-8 is replaced.
    fn read_text(&self, path: &str) -> anyhow::Result<Option<String>> {
        Ok(self.read(path)?.map(|content| String::from_utf8_lossy(&content).into_owned()))
    }

    /// Is there anything at this path?
    fn exists(&self, path: &str) -> anyhow::Result<bool> {
        Ok(self.metadata(path)?.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_held_than_what_is_read_of_a_file() {
        let mut held = Held(Vec::new());
        held.write_all(b"content").unwrap();
        let error = held.write_all(&vec![0; MOST]).unwrap_err();
        assert_eq!(error.to_string(), "it is larger than 64 MiB, which no such file is");
        assert_eq!(held.0, b"content");
    }
}
