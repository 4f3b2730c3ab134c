//! Temporary files and folders, readable by their owner alone, since credentials pass through them.
//!
//! Each is gone when it is dropped. A run that is killed drops nothing: so each is locked for as long as its maker
//! lives, and whoever makes another one beside it first removes those that nobody holds any more.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use anyhow::Context;
use rustix::fs::{Mode, OFlags};
use tempfile::{Builder, NamedTempFile, TempDir};

/// How what is made beside an output is called, until it has its name.
pub(crate) const PREFIX: &str = ".imgbuild-";
/// How such a name ends: nobody's own files are called so.
const SUFFIX: &str = ".tmp";

/// The folder in which a path's last part lies, by a name that it can be opened by.
pub(crate) fn parent(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A folder that is gone when it is dropped.
#[derive(Debug)]
pub(crate) struct Folder {
    // dropped before the lock is
    folder: TempDir,
    _lock: File,
}

impl Folder {
    /// A folder where this machine keeps temporary files.
    pub(crate) fn new() -> anyhow::Result<Self> {
        Self::made(&std::env::temp_dir()).context("making a folder for temporary files")
    }

    /// A folder in `parent`.
    pub(crate) fn within(parent: &Path) -> anyhow::Result<Self> {
        Self::made(parent)
            .map_err(|error| nameless(&error, parent))
            .with_context(|| format!("writing into the folder {}", parent.display()))
    }

    /// A folder beside what it is going to be.
    pub(crate) fn beside(output: &Path) -> anyhow::Result<Self> {
        Self::within(parent(output))
    }

    fn made(parent: &Path) -> io::Result<Self> {
        sweep(parent);
        loop {
            // left to itself, the library makes folders that others can read
            let folder = named().permissions(Permissions::from_mode(0o700)).tempdir_in(parent)?;
            match File::open(folder.path()) {
                Ok(lock) if is_held(&lock, folder.path()) => {
                    return Ok(Self { folder, _lock: lock });
                }
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }

    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Gives it the name of what it has become.
    pub(crate) fn rename(self, output: &Path) -> io::Result<()> {
        fs::rename(self.path(), output)?;
        // there is nothing of the old name to remove any more
        drop(self.folder.keep());
        Ok(())
    }
}

/// A file beside what it is going to be, with permissions that the user's mask narrows; it is gone when it is
/// dropped.
pub(crate) fn file_beside(output: &Path, mode: u32) -> io::Result<NamedTempFile> {
    let folder = parent(output);
    sweep(folder);
    loop {
        let file = named()
            .permissions(Permissions::from_mode(mode))
            .tempfile_in(folder)
            .map_err(|error| nameless(&error, folder))?;
        if is_held(file.as_file(), file.path()) {
            return Ok(file);
        }
    }
}

fn named() -> Builder<'static, 'static> {
    let mut builder = Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    builder
}

/// Locks what was just made. It is not ours if somebody who clears up came between.
fn is_held(lock: &File, path: &Path) -> bool {
    // a file system without locks has nobody who clears up either
    !matches!(lock.try_lock(), Err(TryLockError::WouldBlock)) && is_at(lock, path)
}

/// Does this lie at that path?
fn is_at(file: &File, path: &Path) -> bool {
    let place = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    let (ours, there) = (file.metadata().map(place), path.symlink_metadata().map(place));
    matches!((ours, there), (Ok(ours), Ok(there)) if ours == there)
}

/// Removes from a folder what runs that were killed have left in it. What cannot be removed stays: nobody waits for it.
fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if is_called_so(&entry.file_name()) {
            let _ = remove_dead(&entry.path());
        }
    }
}

/// As the library makes names: six letters or digits.
fn is_called_so(name: &OsStr) -> bool {
    let name = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX));
    name.is_some_and(|chance| {
        chance.len() == 6 && chance.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// Removes a file or a folder of ours that nobody holds.
fn remove_dead(path: &Path) -> io::Result<()> {
    // others may write into a folder of temporary files: no link is followed, no pipe waited for
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let metadata = file.metadata()?;
    let is_ours = metadata.uid() == rustix::process::geteuid().as_raw();
    if !is_ours || file.try_lock().is_err() || !is_at(&file, path) {
        return Ok(());
    }
    if metadata.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}

/// An error without the name that a file has for a moment, which means nothing to anybody.
fn nameless(error: &io::Error, folder: &Path) -> io::Error {
    match error.kind() {
        io::ErrorKind::NotFound if folder.is_dir() => {
            io::Error::other("it is there, and takes no new files")
        }
        io::ErrorKind::NotFound => io::Error::other("there is no such folder"),
        kind => kind.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_else_looks_inside() {
        let outer = Folder::new().unwrap();
        let inner = Folder::within(outer.path()).unwrap();
        for folder in [outer.path(), inner.path()] {
            let mode = folder.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700);
        }
        let error = Folder::within(&outer.path().join("absent")).unwrap_err();
        assert!(format!("{error:#}").ends_with("absent: there is no such folder"), "{error:#}");
    }

    #[test]
    fn a_name_alone_lies_here() {
        assert_eq!(parent(Path::new("card.img")), Path::new("."));
        assert_eq!(parent(Path::new("out/card.img")), Path::new("out"));
        assert_eq!(parent(Path::new("/card.img")), Path::new("/"));
    }

    #[test]
    fn what_nobody_holds_is_removed_and_nothing_else() {
        let folder = Folder::new().unwrap();
        let at = |name: &str| folder.path().join(name);
        let held = file_beside(&at("card.img"), 0o600).unwrap();
        let held_folder = Folder::within(folder.path()).unwrap();
        for dead in [".imgbuild-abcDEF.tmp", ".imgbuild-123456.tmp"] {
            fs::create_dir(at(dead)).unwrap();
            fs::write(at(dead).join("key"), "secret").unwrap();
        }
        fs::write(at(".imgbuild-a1b2c3.tmp"), "secret").unwrap();
        std::os::unix::fs::symlink(at("mine"), at(".imgbuild-linked.tmp")).unwrap();
        let others = [
            "mine",
            ".imgbuild-mine",
            ".imgbuild-notmine.tmp",
            ".imgbuild-a-b-c-.tmp",
            "abcDEF.tmp",
        ];
        for other in others {
            fs::write(at(other), "somebody's").unwrap();
        }
        drop(file_beside(&at("card.img"), 0o600).unwrap());
        let mut left: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().path()).collect();
        left.sort();
        let mut wanted: Vec<_> = others.iter().map(|name| at(name)).collect();
        wanted.extend([
            held.path().to_owned(),
            held_folder.path().to_owned(),
            at(".imgbuild-linked.tmp"),
        ]);
        wanted.sort();
        assert_eq!(left, wanted);
    }

    #[test]
    fn a_folder_keeps_what_is_in_it_under_its_new_name() {
        let folder = Folder::new().unwrap();
        let made = Folder::within(folder.path()).unwrap();
        fs::write(made.path().join("file"), "content").unwrap();
        made.rename(&folder.path().join("output")).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(folder.path().join("output/file").exists());
    }
}
