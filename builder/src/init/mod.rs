//! Asks what a first profile must say, and writes it.
//!
//! ```text
//! flags, terminal ─ interview ─► Answers ─► Draft ─ schema::read ─► nothing wrong ─ write ─► profile.yaml
//!                       ▲                     │                                             secrets.yaml
//!                       └── asked again ◄── refusal
//! ```
//!
//! The answers are a complete profile at any time, with examples in place of what is not known yet. So every
//! answer is judged by the same rules as a profile, as soon as it is given.

mod answers;
mod cloud;
mod draft;
mod flags;
mod interview;
mod write;
mod yaml;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use imgbuild_schema::report::Report;

pub use flags::Flags;

use crate::fault::Refused;
use crate::profile::SECRETS;
use interview::Interview;
use write::Target;

/// A profile that was written, and what is to be said about it.
#[derive(Debug)]
pub struct Written {
    /// The file of secrets beside it, if it needs one.
    pub secrets: Option<PathBuf>,
    /// What may be wrong with it.
    pub warnings: Report,
    /// What is right, and cannot be built yet.
    pub not_yet: Vec<String>,
    /// The files that it names and that are not there yet.
    pub absent: Vec<PathBuf>,
}

/// Makes a profile at `profile` from flags, and from what a person at the terminal says.
///
/// # Errors
///
/// [`crate::fault::Usage`] if the profile is there already, if an answer is missing and nobody can be asked, or
/// if a flag says what cannot be; [`Refused`] if the answers make no profile. Then nothing was written.
pub fn init(profile: &Path, flags: &Flags) -> anyhow::Result<Written> {
    let target = Target::new(profile)?;
    let none = BTreeMap::new();
    let answers = Interview::hold(profile, flags, target.known.as_ref().unwrap_or(&none))?;
    let draft = answers.draft();
    let review = draft.review(profile);
    if let Some(report) = review.refused() {
        return Err(Refused(report).into());
    }
    target.write(&draft.text, &draft.secrets)?;
    let folder = profile.parent().unwrap_or(Path::new(""));
    Ok(Written {
        secrets: (!draft.secrets.is_empty()).then(|| folder.join(SECRETS)),
        warnings: review.warnings(),
        not_yet: review.not_yet().map(str::to_owned).collect(),
        absent: review.absent().map(Path::to_owned).collect(),
    })
}
