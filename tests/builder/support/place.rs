//! A folder to download into.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use imgbuild::fetch::{self, Downloaded, Patience, Wanted};
use imgbuild::progress::Unwatched;
use tempfile::TempDir;

use super::kitchen::hash;

/// What is downloaded.
pub(crate) fn content() -> Vec<u8> {
    (0..600_000_u32).flat_map(u32::to_le_bytes).collect()
}

/// A folder to download into.
pub(crate) struct Place(pub(crate) TempDir, Duration);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap(), Duration::from_secs(30))
    }

    /// Waits for a silent server no longer than this.
    pub(crate) fn patient_for(self, time: Duration) -> Self {
        Self(self.0, time)
    }

    pub(crate) fn part(&self) -> PathBuf {
        self.0.path().join("image.part")
    }

    /// Downloads what should be [`content`].
    pub(crate) fn get(&self, url: &str) -> Result<Downloaded, String> {
        self.get_wanted(url, Some(&hash(&content())), None)
    }

    pub(crate) fn get_wanted(
        &self,
        url: &str,
        sha256: Option<&str>,
        size: Option<u64>,
    ) -> Result<Downloaded, String> {
        let wanted = Wanted { url, sha256, size, proved_later: false };
        let patience = Patience { connect: self.1, silence: self.1 };
        let got = fetch::download(&wanted, &self.part(), patience, &Unwatched);
        got.map_err(|error| format!("{error:#}"))
    }

    /// What is in the folder, and how many bytes.
    pub(crate) fn left(&self) -> Vec<(String, u64)> {
        let entries = fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap());
        let mut left: Vec<_> = entries
            .map(|entry| {
                (entry.file_name().into_string().unwrap(), entry.metadata().unwrap().len())
            })
            .collect();
        left.sort();
        left
    }

    #[track_caller]
    pub(crate) fn has_it(&self) {
        assert!(fs::read(self.part()).unwrap() == content());
        assert_eq!(self.left().len(), 1);
    }
}
