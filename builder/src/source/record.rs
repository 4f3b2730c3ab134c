//! What is known of an image: of one that is kept, and of one that is wanted.

use std::fs;
use std::path::Path;

use imgbuild_schema::values::Sha256;
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};

/// What is known of an image that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Where it came from: an address, or the path of a file.
    pub from: String,
    /// The SHA-256 of the file it came from.
    #[serde(deserialize_with = "sha256")]
    pub sha256: String,
    /// Bytes of that file.
    pub size: u64,
    /// The SHA-256 of the image.
    #[serde(deserialize_with = "sha256")]
    pub extract_sha256: String,
    /// Bytes of the image.
    pub extract_size: u64,
}

/// What is known of an image that is wanted, before it is here. At least one of the hashes is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// The SHA-256 of the file that holds it.
    pub sha256: Option<&'a str>,
    /// Bytes of that file.
    pub size: Option<u64>,
    /// The SHA-256 of the image.
    pub extract_sha256: Option<&'a str>,
    /// Bytes of the image.
    pub extract_size: Option<u64>,
}

/// Where an image that is not kept yet comes from.
#[derive(Clone, Copy, Debug)]
pub enum From<'a> {
    /// An address, which is asked only if the network may be used.
    Url {
        /// The address.
        url: &'a str,
        /// May it be used?
        offline: bool,
    },
    /// A file of this machine.
    File(&'a Path),
}

/// Reads a hash. Files are called after it, so nothing else may be taken for one: what is read may be a stranger's.
pub(super) fn sha256<'de, D: Deserializer<'de>>(text: D) -> Result<String, D::Error> {
    let text = String::deserialize(text)?;
    let digest: Sha256 = text.parse().map_err(D::Error::custom)?;
    Ok(digest.as_str().to_owned())
}

impl Record {
    /// The record in a file; none if there is none. One that is damaged is as good as none: the image is fetched again.
    pub(super) fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }
}
