//! What has come of a download so far, on the disk and hashed.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use sha2::{Digest, Sha256};

use super::client::Start;
use super::{Downloaded, Wanted};
use crate::base::hex;
use crate::interrupt;
use crate::progress::{Watch, Work};

/// What has come so far, on the disk and hashed.
pub(super) struct Part<'a> {
    path: &'a Path,
    file: File,
    digest: Sha256,
    length: u64,
}

impl<'a> Part<'a> {
    /// What lies at `path`, which need not be there, and which an earlier download may have left.
    pub(super) fn open(path: &'a Path, watch: &dyn Watch) -> anyhow::Result<Self> {
        let file = File::options().read(true).append(true).create(true).open(path);
        let file = file.with_context(|| format!("opening {}", path.display()))?;
        let mut part = Self { path, file, digest: Sha256::new(), length: 0 };
        part.read_again(watch)?;
        Ok(part)
    }

    /// How many bytes have come.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// What the server called the version of the file that these bytes are of, if it called it anything.
    pub(super) fn tag(&self) -> Option<String> {
        fs::read_to_string(self.tag_path()).ok()
    }

    /// Keeps nothing of it.
    pub(super) fn discard(mut self) -> anyhow::Result<()> {
        self.clear()?;
        remove(self.path)
    }

    /// Hashes what an earlier download left.
    fn read_again(&mut self, watch: &dyn Watch) -> anyhow::Result<()> {
        let total = self.file.metadata().context("looking at what there is")?.len();
        if total == 0 {
            return Ok(());
        }
        let work = Work::begin(watch, "reading what came before", Some(total));
        let mut buffer = vec![0; 1 << 20];
        loop {
            interrupt::check()?;
            match self.file.read(&mut buffer).context("reading what came before")? {
                0 => return Ok(()),
                read => {
                    self.digest.update(&buffer[..read]);
                    self.length += read as u64;
                    work.at(self.length);
                }
            }
        }
    }

    /// Adds what came.
    pub(super) fn append(&mut self, data: &[u8]) -> anyhow::Result<()> {
        let written = self.file.write_all(data);
        written.with_context(|| format!("writing {}", self.path.display()))?;
        self.digest.update(data);
        self.length += data.len() as u64;
        Ok(())
    }

    /// Begins anew.
    pub(super) fn clear(&mut self) -> anyhow::Result<()> {
        self.file.set_len(0).context("emptying what came before")?;
        (self.digest, self.length) = (Sha256::new(), 0);
        remove(&self.tag_path())
    }

    fn tag_path(&self) -> PathBuf {
        let mut path = self.path.as_os_str().to_owned();
        path.push(".tag");
        path.into()
    }

    /// Notes which version of the file this is.
    pub(super) fn remember_tag(&self, start: &Start) -> anyhow::Result<()> {
        match &start.tag {
            Some(tag) => fs::write(self.tag_path(), tag).context("noting the version of the file"),
            None => remove(&self.tag_path()),
        }
    }

    fn sha256(&self) -> String {
        hex(&self.digest.clone().finalize())
    }

    /// What is wrong with the whole file, if it is not what was wanted.
    pub(super) fn complaint(&self, wanted: &Wanted<'_>) -> Option<String> {
        let (size, sha256) = (self.length, self.sha256());
        match (wanted.size, wanted.sha256) {
            (Some(expected), _) if size != expected => {
                Some(format!("it has {size} bytes where {expected} were expected"))
            }
            (_, Some(expected)) if sha256 != expected => Some(format!(
                "it is not the file that is wanted: its SHA-256 is {sha256}, and {expected} is asked for"
            )),
            _ => None,
        }
    }

    /// It is whole.
    pub(super) fn finish(self) -> anyhow::Result<Downloaded> {
        remove(&self.tag_path())?;
        Ok(Downloaded { sha256: self.sha256(), size: self.length })
    }
}

/// Removes a file that may be there.
fn remove(path: &Path) -> anyhow::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", path.display()))
        }
        _ => Ok(()),
    }
}
