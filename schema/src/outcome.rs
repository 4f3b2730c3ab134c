//! The whole way from a profile's text to a device.

use std::path::Path;

use crate::report::{Redactions, Report, Sources};
use crate::values::Secret;
use crate::{DeviceSpec, Lookup, LookupError, Problem, check, read as reading, resolve};

/// What came of a profile.
pub struct Outcome {
    /// The device; none if anything is wrong with the profile, or cannot be built yet.
    pub spec: Option<DeviceSpec>,
    /// The files that the profile is made of.
    pub sources: Sources,
    /// What was looked up and must not be shown.
    pub redactions: Redactions,
    /// What is wrong, and what may be.
    pub problems: Vec<Problem>,
    /// What is right, and cannot be built yet.
    pub not_yet: Vec<Problem>,
}

/// Says how much is wrong, not what: a problem may quote what must not be shown, until it is reported.
impl std::fmt::Debug for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let codes = |problems: &[Problem]| problems.iter().map(|it| it.code).collect::<Vec<_>>();
        f.debug_struct("Outcome")
            .field("spec", &self.spec)
            .field("problems", &codes(&self.problems))
            .field("not_yet", &codes(&self.not_yet))
            .finish_non_exhaustive()
    }
}

impl Outcome {
    /// These problems of this profile, ready to be shown.
    pub fn report(&self, problems: Vec<Problem>) -> Report {
        Report::new(self.sources.clone(), &self.redactions, problems)
    }
}

/// What is wrong with the form of a profile: keys, types, and values one by one. What values say together is
/// not looked at, and nothing is looked up: the name that a tag gives stands for what it names.
pub fn structure(text: &str) -> Vec<Problem> {
    reading::read("", text, &Itself).problems
}

/// Finds under every name the name itself.
struct Itself;

impl Lookup for Itself {
    fn file(&self, path: &Path) -> Result<String, LookupError> {
        Ok(path.to_string_lossy().into_owned())
    }

    fn secret(&self, name: &str) -> Result<Secret, LookupError> {
        Ok(Secret::new(name.to_owned()))
    }

    fn variable(&self, name: &str) -> Option<String> {
        Some(name.to_owned())
    }

    fn now(&self) -> u64 {
        0
    }
}

/// Reads the profile that lies at `path`, looks up everything that it names, and checks everything.
pub fn read(path: &str, text: &str, lookup: &dyn Lookup) -> Outcome {
    let mut reading = reading::read(path, text, lookup);
    let mut not_yet = Vec::new();
    let mut spec = None;
    if let Some(profile) = reading.profile.take() {
        for (secret, _) in check::secrets::of(&profile) {
            let shown = secret.origin.as_ref().map_or("‹secret›".to_owned(), ToString::to_string);
            reading.redactions.add(secret.text.expose(), &shown);
            // whatever its key is called: it may have been mistyped
            if let (None, Some(span)) = (&secret.origin, secret.span())
                && !reading.repaired.iter().any(|place| place.holds(&span) || span.holds(place))
            {
                reading.sources.hide(span);
            }
        }
        let mut problems = check::profile(&profile, lookup.now());
        spec = resolve::profile(&profile, &mut problems, &mut not_yet).ok();
        reading.add(problems);
    }
    reading.shorten();
    let sound = not_yet.is_empty() && !reading.problems.iter().any(Problem::is_error);
    Outcome {
        spec: spec.filter(|_| sound),
        sources: reading.sources,
        redactions: reading.redactions,
        problems: reading.problems,
        not_yet,
    }
}
