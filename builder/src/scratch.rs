//! Temporary files and folders, readable by their owner alone, since credentials pass through them.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::Context;
use tempfile::{Builder, NamedTempFile, TempDir};

/// How what is made beside an output is called, until it has its name.
pub(crate) const PREFIX: &str = ".imgbuild-";

/// The folder in which a path's last part lies, by a name that it can be opened by.
pub(crate) fn parent(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A folder where this machine keeps temporary files; it is gone when it is dropped.
pub(crate) fn folder(prefix: &str) -> anyhow::Result<TempDir> {
    private(prefix).tempdir().context("making a folder for temporary files")
}

/// A folder in `parent`; it is gone when it is dropped.
pub(crate) fn folder_in(parent: &Path, prefix: &str) -> anyhow::Result<TempDir> {
    private(prefix)
        .tempdir_in(parent)
        .map_err(|error| nameless(&error))
        .with_context(|| format!("writing into the folder {}", parent.display()))
}

/// A folder beside what it is going to be; it is gone when it is dropped.
pub(crate) fn folder_beside(output: &Path) -> anyhow::Result<TempDir> {
    folder_in(parent(output), PREFIX)
}

/// A file beside what it is going to be, with permissions that the user's mask narrows; it is gone when it is
/// dropped.
pub(crate) fn file_beside(output: &Path, mode: u32) -> io::Result<NamedTempFile> {
    Builder::new()
        .prefix(PREFIX)
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(parent(output))
        .map_err(|error| nameless(&error))
}

/// Left to itself, the library makes folders that others can read.
fn private(prefix: &str) -> Builder<'_, '_> {
    let mut builder = Builder::new();
    builder.prefix(prefix).permissions(Permissions::from_mode(0o700));
    builder
}

/// An error by its kind alone: the name that a file has for a moment means nothing to anybody.
fn nameless(error: &io::Error) -> io::Error {
    error.kind().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_else_looks_inside() {
        let outer = folder("outer-").unwrap();
        let inner = folder_in(outer.path(), "inner-").unwrap();
        for folder in [outer.path(), inner.path()] {
            let mode = folder.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700);
        }
        let error = folder_in(&outer.path().join("absent"), "a-").unwrap_err();
        assert!(format!("{error:#}").ends_with("absent: entity not found"), "{error:#}");
    }

    #[test]
    fn a_name_alone_lies_here() {
        assert_eq!(parent(Path::new("card.img")), Path::new("."));
        assert_eq!(parent(Path::new("out/card.img")), Path::new("out"));
        assert_eq!(parent(Path::new("/card.img")), Path::new("/"));
    }
}
