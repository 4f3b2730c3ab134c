//! Puts a profile and its secrets on the disk: both of them, or neither.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use imgbuild_schema::secrets;
use imgbuild_schema::values::Secret;
use tempfile::NamedTempFile;

use super::yaml::quoted;
use crate::fault::Usage;
use crate::interrupt;
use crate::profile::{self, SECRETS};
use crate::scratch;

/// Where a profile is to be written, and the secrets beside it.
#[derive(Debug)]
pub(super) struct Target {
    profile: PathBuf,
    /// The file of secrets, links followed.
    secrets: PathBuf,
    /// What is in it; none if there is no such file.
    pub(super) known: Option<BTreeMap<String, Secret>>,
}

impl Target {
    /// A profile that can be written, as far as can be told before it is known. One that is there already is
    /// not written over.
    pub(super) fn new(profile: &Path) -> anyhow::Result<Self> {
        let refuse = |why: &str| {
            Err(Usage(format!("the profile {} cannot be written: {why}", profile.display())).into())
        };
        if !profile::is_called_so(profile) {
            return refuse("its name does not end in .yaml");
        }
        if profile.file_name().is_some_and(|name| name == SECRETS) {
            return refuse("the secrets beside a profile have that name");
        }
        if profile.symlink_metadata().is_ok() {
            return Err(there(profile).into());
        }
        let folder = scratch::parent(profile);
        if !folder.is_dir() {
            return refuse(&format!("there is no folder {}; make it first", folder.display()));
        }
        let secrets = folder.join(SECRETS);
        let exists = secrets.symlink_metadata().is_ok();
        let known = exists.then(|| profile::read_secrets(&secrets)).transpose();
        let known = known.map_err(|error| anyhow::anyhow!("{}; {}", error.message, error.help))?;
        let secrets = if exists {
            fs::canonicalize(&secrets).with_context(|| format!("finding {}", secrets.display()))?
        } else {
            secrets
        };
        Ok(Self { profile: profile.to_owned(), secrets, known })
    }

    /// Writes both. After an error there is what was there before.
    pub(super) fn write(&self, text: &str, added: &BTreeMap<String, Secret>) -> anyhow::Result<()> {
        let profile = staged(&self.profile, 0o666, text)
            .with_context(|| format!("writing the profile {}", self.profile.display()))?;
        let before = self.before()?;
        let secrets =
            if added.is_empty() { None } else { Some(self.stage_secrets(&before, added)?) };
        interrupt::check()?;
        if let Some(secrets) = secrets {
            self.place(secrets).with_context(|| format!("writing {}", self.secrets.display()))?;
        }
        let placed = profile.persist_noclobber(&self.profile);
        placed.map(drop).map_err(|error| {
            if !added.is_empty() {
                self.take_back(&before);
            }
            match error.error.kind() {
                io::ErrorKind::AlreadyExists => there(&self.profile).into(),
                _ => anyhow::Error::from(error.error)
                    .context(format!("writing the profile {}", self.profile.display())),
            }
        })
    }

    /// The text of the secrets that are there.
    fn before(&self) -> anyhow::Result<String> {
        if self.known.is_none() {
            return Ok(String::new());
        }
        profile::read_text(&self.secrets)
            .with_context(|| format!("reading {}", self.secrets.display()))
    }

    fn stage_secrets(
        &self,
        before: &str,
        added: &BTreeMap<String, Secret>,
    ) -> anyhow::Result<NamedTempFile> {
        let text = extended(before, added).with_context(|| {
            format!("{} cannot be added to; nothing was written", self.secrets.display())
        })?;
        staged(&self.secrets, 0o600, text.expose())
            .with_context(|| format!("writing {}", self.secrets.display()))
    }

    /// Gives the secrets their name: a new one, or that of what they replace.
    fn place(&self, secrets: NamedTempFile) -> io::Result<()> {
        let placed = match self.known {
            None => secrets.persist_noclobber(&self.secrets),
            Some(_) => secrets.persist(&self.secrets),
        };
        placed.map(drop).map_err(|error| error.error)
    }

    /// Undoes what [`Self::place`] did.
    fn take_back(&self, before: &str) {
        // the error that led here is the one to tell
        if self.known.is_none() {
            let _ = fs::remove_file(&self.secrets);
        } else if let Ok(file) = staged(&self.secrets, 0o600, before) {
            let _ = file.persist(&self.secrets);
        }
    }
}

/// A file that is complete and does not have its name yet.
fn staged(output: &Path, mode: u32, text: &str) -> io::Result<NamedTempFile> {
    let mut file = scratch::file_beside(output, mode)?;
    file.as_file_mut().write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn there(profile: &Path) -> Usage {
    Usage(format!("{} is there already; give the new profile another name", profile.display()))
}

/// A file of secrets with more of them, as long as those that it has stay what they are.
fn extended(before: &str, added: &BTreeMap<String, Secret>) -> anyhow::Result<Secret> {
    let parse = |text: &str| {
        secrets::parse(text).map_err(|_| {
            anyhow::anyhow!("lines cannot be added at its end; write it as lines of `name: text`")
        })
    };
    let known = parse(before)?;
    if let Some(name) = added.keys().find(|name| known.contains_key(*name)) {
        anyhow::bail!("it has a `{name}` already");
    }
    let mut text = before.to_owned();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for (name, secret) in added {
        text.extend([&*quoted(name), ": ", &*quoted(secret.expose()), "\n"]);
    }
    let text = Secret::new(text);
    let all = parse(text.expose())?;
    let kept = known.iter().chain(added).all(|(name, secret)| all.get(name) == Some(secret));
    anyhow::ensure!(
        kept && all.len() == known.len() + added.len(),
        "lines at its end would become part of another secret; end it with a line of `name: text`"
    );
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extend(before: &str) -> Result<String, String> {
        let added = [("a.wifi".to_owned(), Secret::new("p#1: \"x\\".into()))].into();
        let text = extended(before, &added).map_err(|error| error.to_string())?;
        Ok(text.expose().to_owned())
    }

    #[test]
    fn what_is_there_stays_as_it_is() {
        let line = "a.wifi: \"p#1: \\\"x\\\\\"\n";
        for before in ["", "# mine\n", "b: c\n", "wifi: {home: d}\n", "e: |\n  two\n  lines\n"] {
            assert_eq!(extend(before), Ok(format!("{before}{line}")), "{before}");
        }
        assert_eq!(extend("b: c"), Ok(format!("b: c\n{line}")));
    }

    #[test]
    fn a_profile_that_came_in_between_is_kept_and_the_secrets_are_taken_back() {
        let secret = [("a.wifi".to_owned(), Secret::new("b".into()))].into();
        for before in [None, Some("c: d\n")] {
            let folder = tempfile::tempdir().unwrap();
            let (profile, secrets) = (folder.path().join("a.yaml"), folder.path().join(SECRETS));
            if let Some(before) = before {
                let mut file = staged(&secrets, 0o600, before).unwrap();
                file.disable_cleanup(true);
                fs::rename(file.path(), &secrets).unwrap();
            }
            let target = Target::new(&profile).unwrap();
            fs::write(&profile, "mine").unwrap();
            let error = target.write("version: 1\n", &secret).unwrap_err().to_string();
            assert!(error.contains("a.yaml is there already"), "{error}");
            assert_eq!(fs::read_to_string(&profile).unwrap(), "mine");
            assert_eq!(fs::read_to_string(&secrets).ok().as_deref(), before);
            let names = fs::read_dir(folder.path()).unwrap().count();
            assert_eq!(names, 1 + usize::from(before.is_some()), "something was left behind");
        }
    }

    #[test]
    fn a_file_that_lines_cannot_be_added_to_is_refused() {
        for before in ["{b: c}\n", "b: c\n...\n", "  b: c\n"] {
            let refusal = extend(before).unwrap_err();
            assert!(refusal.contains("at its end"), "{before}: {refusal}");
        }
        assert_eq!(extend("a: {wifi: b}\n"), Err("it has a `a.wifi` already".into()));
    }
}
