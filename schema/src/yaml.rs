//! The one place that knows the YAML parser: text in, values or a [`Problem`] out.
//!
//! A profile is small; the limits below are far above any real one and far below what would hurt.

use serde::de::DeserializeOwned;
use serde_saphyr::Error;

use crate::Span;
use crate::problem::{Code, Problem, nearest};

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

/// Puts the parser's complaint in the words of somebody who writes a profile.
fn problem(error: &Error, source: &str) -> Problem {
    let error = error.without_snippet();
    let span = error.location().and_then(|location| {
        Span::of(&location).or_else(|| at(&location, source)).map(|span| visible(span, source))
    });
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
        Error::InvalidScalar { ty, .. } => {
            Problem::new(Code::WrongType, span, format!("this is not {}", kind_of_scalar(ty)))
                .label(format!("should be {}", kind_of_scalar(ty)))
        }
        Error::Unexpected { expected, .. } => {
            let expected = kind_of_node(expected);
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

/// What the parser expected, in a user's words.
fn kind_of_node(parser_word: &str) -> &str {
    match parser_word {
        "string scalar" | "scalar" => "a text",
        "mapping start" => "a map",
        "sequence start" => "a list",
        other => other,
    }
}

/// Where a location lies that the parser knows by line and column alone, both from 1, in characters.
fn at(location: &serde_saphyr::Location, source: &str) -> Option<Span> {
    let line = usize::try_from(location.line()).ok()?.checked_sub(1)?;
    let column = usize::try_from(location.column()).ok()?.checked_sub(1)?;
    let line_start: usize = source.split_inclusive('\n').take(line).map(str::len).sum();
    let in_line = source[line_start..].lines().next().unwrap_or_default();
    let start = line_start + in_line.chars().take(column).map(char::len_utf8).sum::<usize>();
    Some(Span { start, end: start })
}

/// A span that can be marked: a parser's empty span is widened to the character it stands before.
fn visible(span: Span, source: &str) -> Span {
    if span.end > span.start || span.start >= source.len() {
        return span;
    }
    let width = source[span.start..].chars().next().map_or(0, char::len_utf8);
    Span { start: span.start, end: span.start + width }
}
