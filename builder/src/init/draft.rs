//! A profile that is not on the disk yet, judged by the schema as `imgbuild check` would.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use imgbuild_schema::report::Report;
use imgbuild_schema::values::Secret;
use imgbuild_schema::{Code, Lookup, LookupError, Outcome, Problem};

use crate::profile::Disk;

/// A profile's text, and the secrets that it names.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) text: String,
    /// The path of keys of each line.
    pub(super) paths: Vec<String>,
    pub(super) secrets: BTreeMap<String, Secret>,
}

/// What the schema says about a draft.
pub(super) struct Review<'a> {
    draft: &'a Draft,
    outcome: Outcome,
    absent: Vec<Absent>,
}

/// A file that is not there yet.
struct Absent {
    /// Where it should be.
    place: PathBuf,
    /// What is said about that.
    message: String,
}

impl Draft {
    /// Reads the draft as if it lay at `profile`.
    pub(super) fn review(&self, profile: &Path) -> Review<'_> {
        let lookup = Answered {
            disk: Disk::beside(profile),
            secrets: &self.secrets,
            absent: RefCell::default(),
        };
        let outcome = imgbuild_schema::read(&profile.display().to_string(), &self.text, &lookup);
        Review { draft: self, outcome, absent: lookup.absent.into_inner() }
    }
}

impl Review<'_> {
    /// Why the answer at the end of a path of keys cannot be taken, if it cannot. What is missing elsewhere is
    /// asked later.
    pub(super) fn refusal(&self, path: &str) -> Option<String> {
        let about = |problem: &&Problem| {
            let line = problem.span.map(|span| self.outcome.sources.place(span).1);
            let place = line.and_then(|line| self.draft.paths.get(line - 1));
            place
                .and_then(|place| place.strip_prefix(path))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
                && !matches!(problem.code, Code::MissingKey | Code::ChooseOne)
        };
        let problem = self.errors().find(about)?.clone();
        let report = self.outcome.report(vec![problem]);
        let problem = report.problems().first()?;
        Some(match &problem.help {
            Some(help) => format!("{}; {help}", problem.message),
            None => problem.message.clone(),
        })
    }

    /// What keeps the draft from being written: all errors but files that are not there yet.
    fn errors(&self) -> impl Iterator<Item = &Problem> {
        self.outcome
            .problems
            .iter()
            .filter(|problem| problem.is_error() && !self.is_absence(problem))
    }

    fn is_absence(&self, problem: &Problem) -> bool {
        problem.code == Code::UnreadableFile
            && self.absent.iter().any(|absent| absent.message == problem.message)
    }

    /// The errors drawn into the text; none if it can be written.
    pub(super) fn refused(&self) -> Option<Report> {
        let errors: Vec<Problem> = self.errors().cloned().collect();
        (!errors.is_empty()).then(|| self.outcome.report(errors))
    }

    /// What may be wrong with it.
    pub(super) fn warnings(&self) -> Report {
        let warnings = self.outcome.problems.iter().filter(|problem| !problem.is_error());
        self.outcome.report(warnings.cloned().collect())
    }

    /// What is right, and cannot be built yet.
    pub(super) fn not_yet(&self) -> impl Iterator<Item = &str> {
        self.outcome.not_yet.iter().map(|problem| problem.message.as_str())
    }

    /// The files that it names and that are not there yet.
    pub(super) fn absent(&self) -> impl Iterator<Item = &Path> {
        self.absent.iter().map(|absent| absent.place.as_path())
    }
}

/// Looks up secrets among the answers, and everything else on this machine.
struct Answered<'a> {
    disk: Disk,
    secrets: &'a BTreeMap<String, Secret>,
    absent: RefCell<Vec<Absent>>,
}

impl Lookup for Answered<'_> {
    fn file(&self, path: &Path) -> Result<String, LookupError> {
        self.disk.file(path).inspect_err(|error| {
            // a dangling link is absent too: whoever put it there is going to fill it
            let place = self.disk.place(path);
            if !place.exists() {
                self.absent.borrow_mut().push(Absent { place, message: error.message.clone() });
            }
        })
    }

    fn secret(&self, name: &str) -> Result<Secret, LookupError> {
        self.secrets.get(name).cloned().ok_or_else(|| LookupError {
            message: format!("`{name}` was not answered yet"),
            help: "this is a mistake in imgbuild".into(),
        })
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.disk.variable(name)
    }

    fn now(&self) -> u64 {
        self.disk.now()
    }
}
