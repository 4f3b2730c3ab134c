//! From a text to a profile, past everything that is wrong with it.
//!
//! Serde stops at the first value that it cannot take. So that all of them are told at once, a value that
//! was refused is noted, an example of what belongs there is put in its place, and the reading begins
//! again. What is said afterwards about such a place is not passed on.

mod example;
mod fill;
mod repair;

use std::path::{Path, PathBuf};

use crate::problem::{MOST_PROBLEMS, Problem};
use crate::report::{Redactions, Sources};
use crate::resolve::{Lookup, LookupError};
use crate::yaml::compose::{self, Include};
use crate::yaml::decode;
use crate::yaml::node::{Kind, Node};
use crate::{FileId, Profile, Span};

/// The most nodes that are gone through, all attempts together: each begins anew. A profile of two hundred nodes
/// has as many attempts as it may have problems; a large one with thousands of mistakes ends early.
const MOST_NODES: usize = 400_000;

/// A profile that was read, as far as it could be.
pub(crate) struct Reading {
    /// The profile; none if it is no YAML, or not even the beginning of a profile.
    pub(crate) profile: Option<Profile>,
    /// The files it is made of.
    pub(crate) sources: Sources,
    /// What was looked up and must not be shown.
    pub(crate) redactions: Redactions,
    /// What is wrong with it.
    pub(crate) problems: Vec<Problem>,
    /// Where something else stands than the user wrote.
    pub(crate) repaired: Vec<Span>,
}

impl Reading {
    /// Leaves no more problems than are told, errors before warnings.
    pub(crate) fn shorten(&mut self) {
        if self.problems.len() > MOST_PROBLEMS {
            self.problems.sort_by_key(|problem| !problem.is_error());
            self.problems.truncate(MOST_PROBLEMS);
        }
    }

    /// Adds problems of the profile as a whole, but for those that follow from problems told already.
    pub(crate) fn add(&mut self, problems: impl IntoIterator<Item = Problem>) {
        let repaired = &self.repaired;
        let follows = |problem: &Problem| {
            let places = problem.span.iter().chain(problem.related.iter().map(|(span, _)| span));
            places.clone().any(|place| repaired.iter().any(|it| it.holds(place) || place.holds(it)))
                || (problem.span.is_none() && !repaired.is_empty())
        };
        self.problems.extend(problems.into_iter().filter(|problem| !follows(problem)));
    }
}

/// Reads the profile that lies at `path`.
pub(crate) fn read(path: &str, text: &str, lookup: &dyn Lookup) -> Reading {
    let mut reading = Reading {
        profile: None,
        sources: Sources::new(path, text),
        redactions: Redactions::default(),
        problems: Vec::new(),
        repaired: Vec::new(),
    };
    let mut files = Files { lookup, sources: &mut reading.sources };
    let tree = compose::compose(text, FileId::default(), &mut files, &mut reading.problems);
    let mut tree = match tree {
        Ok(tree) => tree,
        Err(problem) => {
            reading.problems.push(problem);
            return reading;
        }
    };
    without_shared(&mut tree);
    fill::fill(&mut tree, lookup, &mut reading);
    reading.profile = decode_past_errors(tree, &mut reading);
    reading
}

/// Keys that begin with `x-` are for sharing, by way of anchors, and say nothing themselves.
fn without_shared(tree: &mut Node) {
    if let Kind::Map(entries) = &mut tree.kind {
        entries.retain(|entry| !entry.key.text.starts_with("x-"));
    }
}

fn decode_past_errors(mut tree: Node, reading: &mut Reading) -> Option<Profile> {
    let mut repair = repair::Repair::default();
    let attempts = (MOST_NODES / tree.count()).max(2);
    for _ in 0..attempts {
        let failure = match decode::decode::<Profile>(&tree) {
            Ok(profile) => return Some(profile),
            Err(failure) => failure,
        };
        let (fault, path) = (failure.fault, failure.path);
        let known = failure
            .problem
            .span
            .is_some_and(|span| reading.repaired.iter().any(|it| it.holds(&span)));
        if !known {
            reading.problems.push(failure.problem);
        }
        if reading.problems.len() >= MOST_PROBLEMS {
            return None;
        }
        reading.repaired.push(repair.mend(&mut tree, fault, path)?);
    }
    None
}

/// Reads included files by way of whoever looks things up, and keeps them.
struct Files<'a> {
    lookup: &'a dyn Lookup,
    sources: &'a mut Sources,
}

impl Include for Files<'_> {
    fn include(&mut self, path: &str, from: FileId) -> Result<(FileId, String), (String, String)> {
        let beside = if from == FileId::default() {
            PathBuf::new()
        } else {
            Path::new(self.sources.written(from)).parent().unwrap_or(Path::new("")).to_owned()
        };
        let place = beside.join(path);
        let text =
            self.lookup.file(&place).map_err(|LookupError { message, help }| (message, help))?;
        let id = self.sources.add(&place.to_string_lossy(), &text).ok_or_else(|| {
            ("this profile includes too many files".to_owned(), "put some together".to_owned())
        })?;
        Ok((id, text))
    }
}
