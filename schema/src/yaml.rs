//! The one place that knows the YAML parser: text in, values or a [`Problem`] out.
//!
//! A profile is small; the limits below are far above any real one and far below what would hurt.

use serde::de::DeserializeOwned;
use serde_saphyr::Error;

use crate::problem::{Code, Problem, nearest};
use crate::{Span, Sp};

/// Reads one YAML document.
pub fn parse<T: DeserializeOwned>(source: &str) -> Result<T, Problem> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_documents: 1,
            max_depth: 24,
            max_nodes: 20_000,
            max_aliases: 500,
        },
        with_snippet: false,
        strict_booleans: true,
    };
    serde_saphyr::from_str_with_options(source, options).map_err(|error| problem(&error, source))
}

/// Writes a value as YAML.
#[cfg(feature = "profile")]
pub fn write<T: serde::Serialize>(value: &T) -> Result<String, String> {
    serde_saphyr::to_string(value).map_err(|error| error.to_string())
}

/// The one key of a map that has exactly one: how tagged choices are written (`aws-iot: {…}`).
pub(crate) fn only<'a, T>(
    choices: impl IntoIterator<Item = (&'static str, Option<&'a Sp<T>>)>,
) -> Vec<(&'static str, &'a Sp<T>)> {
    choices.into_iter().filter_map(|(name, choice)| choice.map(|choice| (name, choice))).collect()
}

/// Puts the parser's complaint in the words of somebody who writes a profile.
fn problem(error: &Error, source: &str) -> Problem {
    let error = error.without_snippet();
    let span = error.location().and_then(|location| Span::of(&location)).map(|span| visible(span, source));
    match error {
        Error::AliasError { error, .. } => problem(error, source),
        Error::SerdeUnknownField { field, expected, .. } => {
            unknown(Code::UnknownKey, span, "key", field, expected)
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            unknown(Code::UnknownChoice, span, "choice", variant, expected)
        }
        Error::SerdeMissingField { field, .. } => {
            Problem::new(Code::MissingKey, span, format!("`{field}` is missing"))
                .label(format!("has no `{field}`"))
        }
        Error::SerdeInvalidType { unexpected, expected, .. } => {
            Problem::new(Code::WrongType, span, format!("{unexpected} where {expected} belongs"))
                .label(format!("should be {expected}"))
        }
        Error::Message { msg, .. } => {
            Problem::new(Code::InvalidValue, span, msg.clone()).label("cannot be meant")
        }
        Error::InvalidScalar { ty, .. } => Problem::new(
            Code::WrongType,
            span,
            format!("this is not {}", kind_of_scalar(ty)),
        )
        .label(format!("should be {}", kind_of_scalar(ty))),
        Error::Unexpected { expected, .. } => {
            Problem::new(Code::WrongType, span, format!("there should be {expected} here"))
                .label(format!("should be {expected}"))
        }
        other => {
            let formatter = serde_saphyr::UserMessageFormatter;
            let message = serde_saphyr::MessageFormatter::format_message(&formatter, other);
            Problem::new(Code::Syntax, span, message.into_owned()).label("here")
        }
    }
}

fn unknown(
    code: Code,
    span: Option<Span>,
    what: &str,
    word: &str,
    expected: &[&'static str],
) -> Problem {
    let problem = Problem::new(code, span, format!("unknown {what} `{word}`"));
    match nearest(word, expected.iter().copied()) {
        Some(known) => {
            problem.label(format!("no such {what}")).help(format!("did you mean `{known}`?"))
        }
        None => problem
            .label(format!("no such {what}"))
            .help(format!("known here: {}", expected.join(", "))),
    }
}

fn kind_of_scalar(rust_type: &str) -> &'static str {
    match rust_type {
        "bool" => "`true` or `false`",
        float if float.starts_with('f') => "a number",
        _ => "a whole number",
    }
}

/// A span that can be marked: a parser's empty span is widened to the character it stands before.
fn visible(span: Span, source: &str) -> Span {
    if span.end > span.start || span.start >= source.len() {
        return span;
    }
    let width = source[span.start..].chars().next().map_or(0, char::len_utf8);
    Span { start: span.start, end: span.start + width }
}
