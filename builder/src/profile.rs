//! A profile on the disk: its text, and the files, secrets and variables it names.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use imgbuild_schema::profile;
use imgbuild_schema::report::{Redactions, Report};
use imgbuild_schema::values::Secret;
use imgbuild_schema::{DeviceSpec, Lookup, LookupError, Outcome, Problem, secrets};

use crate::fault::{Refused, reason};

/// The file of secrets beside a profile.
pub(crate) const SECRETS: &str = "secrets.yaml";

/// A profile, read and resolved.
#[derive(Debug)]
pub struct Loaded {
    /// Where it lies, as the user gave it.
    pub path: PathBuf,
    /// What it means.
    pub spec: DeviceSpec,
    outcome: Outcome,
}

/// Reads a profile, whatever is wrong with it.
pub fn examine(path: &Path) -> anyhow::Result<Outcome> {
    let text = read_text(path)
        .map_err(|error| anyhow::anyhow!(reason(&error)))
        .with_context(|| format!("reading the profile {}", path.display()))?;
    let lookup = Disk::beside(path);
    Ok(imgbuild_schema::read(&path.display().to_string(), &text, &lookup))
}

impl Loaded {
    /// Reads a profile. What is wrong with it comes back drawn into its text.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let mut outcome = examine(path)?;
        if let Some(spec) = outcome.spec.take() {
            return Ok(Self { path: path.to_owned(), spec, outcome });
        }
        let problems = outcome.problems.iter().chain(&outcome.not_yet).cloned();
        Err(Refused(outcome.report(problems.collect())).into())
    }

    /// What may be wrong with it.
    pub fn warnings(&self) -> Report {
        self.report(self.outcome.problems.clone())
    }

    /// What must not be shown of it.
    pub fn redactions(&self) -> &Redactions {
        &self.outcome.redactions
    }

    /// The files it is made of, itself first, by name and text, with stars in place of the secrets that are
    /// written out in them.
    pub fn texts(&self) -> impl Iterator<Item = (String, &str)> {
        let own = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.outcome.sources.texts().map(move |(written, text)| {
            (if written.is_empty() { own.clone() } else { written.to_owned() }, text)
        })
    }

    /// Problems of this profile, ready to be shown.
    pub fn report(&self, problems: Vec<Problem>) -> Report {
        self.outcome.report(problems)
    }

    /// The base that it names, a file's path leading where it lies.
    pub fn base(&self) -> profile::Base {
        let mut base = (*self.spec.base).clone();
        if let profile::Base::File(file) = &mut base {
            file.file = file.file.with(self.beside(&file.file));
        }
        base
    }

    /// Where a path that the profile gives leads.
    pub fn beside(&self, path: &Path) -> PathBuf {
        Disk::beside(&self.path).place(path)
    }
}

/// The most that is read of any file that a profile names, or of itself.
pub(crate) const MOST_BYTES: u64 = 4 << 20;

/// A text file; one that cannot be meant is not read to its end.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 4 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// Does a file's name say that it is a profile?
pub(crate) fn is_called_so(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

/// Looks things up on this machine.
pub(crate) struct Disk {
    folder: PathBuf,
    /// The secrets beside the profile, read when the first of them is asked for.
    secrets: OnceCell<Result<BTreeMap<String, Secret>, LookupError>>,
}

impl Disk {
    /// What lies beside a profile, and elsewhere on this machine.
    pub(crate) fn beside(profile: &Path) -> Self {
        let folder = profile.parent().map(Path::to_owned).unwrap_or_default();
        Self { folder, secrets: OnceCell::new() }
    }

    /// Where a path that the profile gives leads: `~/` is the user's home, all else is beside the profile.
    pub(crate) fn place(&self, path: &Path) -> PathBuf {
        match (path.strip_prefix("~"), std::env::var_os("HOME")) {
            (Ok(rest), Some(home)) => Path::new(&home).join(rest),
            _ => self.folder.join(path),
        }
    }
}

impl Lookup for Disk {
    fn file(&self, path: &Path) -> Result<String, LookupError> {
        read_text(&self.place(path)).map_err(|error| LookupError {
            message: format!("the file `{}` cannot be read: {}", path.display(), reason(&error)),
            help: "paths in a profile are relative to the profile".into(),
        })
    }

    fn secret(&self, name: &str) -> Result<Secret, LookupError> {
        let secrets = self.secrets.get_or_init(|| read_secrets(&self.folder.join(SECRETS)));
        let secrets = secrets.as_ref().map_err(LookupError::clone)?;
        secrets.get(name).cloned().ok_or_else(|| LookupError {
            message: format!("{SECRETS} has no `{name}`"),
            help: match imgbuild_schema::problem::nearest(name, secrets.keys().map(String::as_str))
            {
                Some(known) => format!("did you mean `{known}`?"),
                None => {
                    format!("add a line such as `{name}: …` to the {SECRETS} beside the profile")
                }
            },
        })
    }

    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn now(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
    }
}

/// The names and texts in a file of secrets, which is refused if others can read it.
pub(crate) fn read_secrets(path: &Path) -> Result<BTreeMap<String, Secret>, LookupError> {
    let refuse = |message: String, help: String| LookupError { message, help };
    let unreadable = |error: &io::Error| {
        refuse(
            format!("{} cannot be read: {}", path.display(), reason(error)),
            "secrets lie in a file of that name beside the profile, readable by you alone".into(),
        )
    };
    let mode = fs::metadata(path).map_err(|error| unreadable(&error))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(refuse(
            format!("{} can be read by others: its mode is {:04o}", path.display(), mode & 0o7777),
            format!("run `chmod 600 {}`", path.display()),
        ));
    }
    let text = read_text(path).map_err(|error| unreadable(&error))?;
    // the parser's complaint may quote the text, which is secret: only the place is told
    secrets::parse(&text).map_err(|line| {
        let line = line.map_or_else(String::new, |line| format!(" (line {line})"));
        refuse(
            format!("{} is not a map of names to texts{line}", path.display()),
            "write lines such as `wifi.greenhouse: \"the passphrase\"`".into(),
        )
    })
}
