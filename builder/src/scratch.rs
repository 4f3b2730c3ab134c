//! Folders for temporary files, readable by their owner alone, since credentials pass through them.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::Context;
use tempfile::{Builder, TempDir};

/// A folder in `parent`, or where this machine keeps temporary files; it is gone when it is dropped.
pub(crate) fn folder(prefix: &str, parent: Option<&Path>) -> anyhow::Result<TempDir> {
    let mut builder = Builder::new();
    // left to itself, the library makes a folder that others can read
    builder.prefix(prefix).permissions(Permissions::from_mode(0o700));
    match parent {
        None => builder.tempdir().context("making a folder for temporary files"),
        Some(parent) => builder
            .tempdir_in(parent)
            // without the name, which means nothing to anybody
            .map_err(|error| std::io::Error::from(error.kind()))
            .with_context(|| format!("writing into the folder {}", parent.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_else_looks_inside() {
        let outer = folder("outer-", None).unwrap();
        let inner = folder("inner-", Some(outer.path())).unwrap();
        for folder in [outer.path(), inner.path()] {
            let mode = folder.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700);
        }
        let error = folder("a-", Some(&outer.path().join("absent"))).unwrap_err();
        assert!(format!("{error:#}").ends_with("absent: entity not found"), "{error:#}");
    }
}
