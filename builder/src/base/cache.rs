//! The bases that were made before: each is made once, whatever happens meanwhile.
//!
//! ```text
//! debian-trixie-arm64-0123456789ab.img      complete, or not there: it is renamed into place
//! debian-trixie-arm64-0123456789ab.making/  being made, or left by a build that was killed
//! debian-trixie-arm64-0123456789ab.lock     held by whoever makes it
//! ```

use std::ffi::OsString;
use std::fs::{File, Permissions, TryLockError};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use super::Base;
use super::make::{self, Progress};
use super::recipe::Recipe;
use crate::fault::Lacking;

/// A folder of bases.
#[derive(Clone, Debug)]
pub struct Bases {
    folder: PathBuf,
}

impl Bases {
    /// The bases in `folder`.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The bases of this user: in `$IMGBUILD_CACHE`, else `$XDG_CACHE_HOME/imgbuild`, else
    /// `~/.cache/imgbuild`.
    pub fn of_user() -> anyhow::Result<Self> {
        let folder =
            default_folder(|name| std::env::var_os(name).filter(|value| !value.is_empty()));
        folder.map(Self::at).ok_or_else(|| {
            let complaint = "there is no place for base images: none of IMGBUILD_CACHE, XDG_CACHE_HOME and HOME is set";
            Lacking(complaint.into()).into()
        })
    }

    /// Where they lie.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where a named base lies, or would lie once made; `None` if no base has that name.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        Recipe::of(name).map(|recipe| self.folder.join(recipe.file_name()))
    }

    /// Opens a named base; makes it first where it has not been made yet.
    pub fn ensure(&self, name: &str, progress: Progress) -> anyhow::Result<Base> {
        let recipe = Recipe::of(name).ok_or_else(|| anyhow!("no base is called `{name}`"))?;
        self.obtain(recipe, progress)
    }

    /// Opens the base of a recipe; makes it first where it has not been made yet.
    pub fn obtain(&self, recipe: &Recipe, progress: Progress) -> anyhow::Result<Base> {
        let path = self.folder.join(recipe.file_name());
        loop {
            if let Some(base) = Base::held(&path)? {
                return Ok(base);
            }
            self.make(recipe, &path, progress)
                .with_context(|| format!("making the base {}", recipe.name))?;
        }
    }

    fn make(&self, recipe: &Recipe, path: &Path, progress: Progress) -> anyhow::Result<()> {
        std::fs::create_dir_all(&self.folder)
            .with_context(|| format!("making {}", self.folder.display()))?;
        let _lock = lock(&path.with_extension("lock"), progress)?;
        // whoever held the lock before may have made it
        if path.exists() {
            return Ok(());
        }
        progress(&format!("making the base {} (about ten minutes, once)…", recipe.name));
        let scratch = Scratch::new(path.with_extension("making"))?;
        let image = make::make(recipe, &scratch.0, progress)?;
        // nobody writes to a base: cards are copies of it
        std::fs::set_permissions(&image, Permissions::from_mode(0o444))
            .context("protecting the image")?;
        File::open(&image).and_then(|file| file.sync_all()).context("writing the image out")?;
        std::fs::rename(&image, path)
            .with_context(|| format!("moving the image to {}", path.display()))
    }
}

fn default_folder(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    if let Some(folder) = variable("IMGBUILD_CACHE") {
        return Some(folder.into());
    }
    let caches = variable("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(Path::new(&variable("HOME")?).join(".cache")));
    caches.map(|folder| folder.join("imgbuild"))
}

/// Waits until nobody else is at this base. The lock is freed with the file, also when we are killed.
pub(crate) fn lock(path: &Path, progress: Progress) -> anyhow::Result<File> {
    let file = File::create(path).with_context(|| format!("opening {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => progress("waiting for another build that is at it"),
        Err(TryLockError::Error(error)) => return Err(error).context("locking the cache"),
    }
    file.lock().context("locking the cache")?;
    Ok(file)
}

/// A folder that is empty at first and gone at last.
#[derive(Debug)]
struct Scratch(PathBuf);

impl Scratch {
    fn new(path: PathBuf) -> anyhow::Result<Self> {
        // left by a build that was killed: we hold the lock, so nobody is at it
        if path.exists() {
            std::fs::remove_dir_all(&path)
                .with_context(|| format!("clearing {}", path.display()))?;
        }
        std::fs::create_dir(&path).with_context(|| format!("making {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // what cannot be removed now is removed by the next build
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn the_cache_is_where_the_user_says() {
        let folder = |set: &[(&str, &str)]| {
            default_folder(|name| {
                set.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
            })
        };
        let all = [("IMGBUILD_CACHE", "/a"), ("XDG_CACHE_HOME", "/b"), ("HOME", "/c")];
        assert_eq!(folder(&all), Some("/a".into()));
        assert_eq!(folder(&all[1..]), Some("/b/imgbuild".into()));
        assert_eq!(folder(&all[2..]), Some("/c/.cache/imgbuild".into()));
        assert_eq!(folder(&[]), None);
    }

    #[test]
    fn an_unknown_base_is_named() {
        let error = Bases::at("nowhere").ensure("debian-trixie", &|_| ()).unwrap_err();
        assert_eq!(error.to_string(), "no base is called `debian-trixie`");
    }

    #[test]
    fn scratch_is_empty_at_first_and_gone_at_last() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("base.making");
        std::fs::create_dir_all(path.join("tree/etc")).unwrap();
        std::fs::write(path.join("card.img"), "half").unwrap();
        let scratch = Scratch::new(path.clone()).unwrap();
        assert_eq!(std::fs::read_dir(&path).unwrap().count(), 0);
        drop(scratch);
        assert!(!path.exists());
    }

    #[test]
    fn who_comes_second_waits_and_says_so() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("base.lock");
        let first = lock(&path, &|_| panic!("nobody to wait for")).unwrap();
        let first = RefCell::new(Some(first));
        // the first one lets go when the second one says that it waits
        let told = RefCell::new(String::new());
        lock(&path, &|line| {
            told.borrow_mut().push_str(line);
            first.take();
        })
        .unwrap();
        assert_eq!(told.take(), "waiting for another build that is at it");
    }
}
