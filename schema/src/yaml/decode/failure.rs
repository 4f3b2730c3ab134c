use std::fmt;

use serde::de::{Error, Expected, Unexpected};

use crate::Span;
use crate::problem::{Code, Problem, nearest};

/// Why a tree could not be read as a value, and where in the tree.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What to tell.
    pub(crate) problem: Problem,
    /// What was wrong with the node.
    pub(crate) fault: Fault,
    /// The way from the root: which entry of each map, which item of each list. Innermost first.
    pub(crate) path: Vec<usize>,
}

/// What was wrong with a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Its value.
    Value,
    /// It has a key that is not known, and probably means this one. The path leads to its entry.
    UnknownKey(Option<&'static str>),
    /// It lacks this key. The path leads to the map.
    Missing(&'static str),
}

impl Failure {
    pub(super) fn new(problem: Problem) -> Self {
        Self { problem, fault: Fault::Value, path: Vec::new() }
    }

    /// The same failure at this place, unless it has one.
    pub(super) fn at(mut self, span: Span) -> Self {
        self.problem.span.get_or_insert(span);
        self
    }

    /// The same at this place, unless a key is missing: that is placed further out.
    pub(super) fn unless_missing(self, span: Span) -> Self {
        if matches!(self.fault, Fault::Missing(_)) { self } else { self.at(span) }
    }

    /// The same one step further from the root.
    pub(super) fn inside(mut self, step: usize) -> Self {
        self.path.push(step);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl std::error::Error for Failure {}

impl Error for Failure {
    fn custom<T: fmt::Display>(message: T) -> Self {
        let problem = Problem::new(Code::InvalidValue, None, message.to_string());
        Self::new(problem.label("cannot be meant"))
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match unexpected {
            Unexpected::Unit => "there is nothing here".to_owned(),
            Unexpected::Map => "there is a map here".to_owned(),
            Unexpected::Seq => "there is a list here".to_owned(),
            Unexpected::Bool(truth) => format!("there is `{truth}` here"),
            Unexpected::Signed(number) => format!("there is the number {number} here"),
            Unexpected::Unsigned(number) => format!("there is the number {number} here"),
            Unexpected::Float(number) => format!("there is the number {number} here"),
            _ => "there is a text here".to_owned(),
        };
        let problem = Problem::new(Code::WrongType, None, found);
        Self::new(problem.label(format!("should be {expected}")))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let failure = unknown(Code::UnknownKey, "key", field, expected);
        Self { fault: Fault::UnknownKey(nearest(field, expected.iter().copied())), ..failure }
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        unknown(Code::UnknownChoice, "choice", variant, expected)
    }

    fn missing_field(field: &'static str) -> Self {
        let problem = Problem::new(Code::MissingKey, None, format!("`{field}` is missing"));
        let failure = Self::new(problem.label(format!("has no `{field}`")));
        Self { fault: Fault::Missing(field), ..failure }
    }
}

fn unknown(code: Code, what: &str, word: &str, expected: &[&str]) -> Failure {
    let problem = Problem::new(code, None, format!("unknown {what} `{word}`"));
    Failure::new(problem.label(format!("no such {what}")).help(
        match nearest(word, expected.iter().copied()) {
            Some(known) => format!("did you mean `{known}`?"),
            None if expected.is_empty() => "nothing can be said here".to_owned(),
            None => format!("known here: {}", expected.join(", ")),
        },
    ))
}
