//! What lands on the card: overlays, filled in for one device.
//!
//! An overlay is a folder (see `overlays/README.md`): a manifest, and files as they lie on the device.
//! The built-in ones are carried inside the program; a profile may add folders of its own.

mod context;
mod folder;
mod manifest;
mod render;

use std::path::PathBuf;

pub use context::context;
pub(crate) use context::instance_id;
pub use folder::{built_in, from_folder};
pub use manifest::{Attributes, Manifest, Units, User};
pub use render::{Rendered, render};

/// One overlay as it was found.
#[derive(Clone, Debug)]
pub struct Overlay {
    /// Where it comes from, for messages: `overlay wifi`, or a folder's path.
    pub origin: String,
    /// The text of its `overlay.yaml`; empty if it has none.
    pub manifest: String,
    /// Its files.
    pub files: Vec<Source>,
}

/// A file of an overlay, before it is filled in.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its path in the overlay, beginning with `rootfs/` or `bootfs/`.
    pub path: String,
    /// What it is.
    pub content: Content,
}

/// What a path on the card comes to hold.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// These bytes.
    Bytes(Vec<u8>),
    /// What a file of this machine holds.
    HostFile(PathBuf),
    /// Nothing of its own: a link to there.
    Link(String),
}

/// Says what kind of content it is and how much, not what: it may be a secret.
impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::HostFile(path) => write!(f, "the file {}", path.display()),
            Self::Link(target) => write!(f, "a link to {target}"),
        }
    }
}

/// The two file systems of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Volume {
    /// The FAT file system that the firmware reads.
    Boot,
    /// The ext4 file system that Linux runs from.
    Root,
}

impl Volume {
    /// Its name in messages.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Boot => "boot",
            Self::Root => "root",
        }
    }

    /// The folder of an overlay that holds the volume's files.
    const fn folder(self) -> &'static str {
        match self {
            Self::Boot => "bootfs/",
            Self::Root => "rootfs/",
        }
    }
}
