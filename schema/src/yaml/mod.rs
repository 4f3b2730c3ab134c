//! YAML: what lies on a card is read and written by serde-saphyr; a profile is read into a tree first, so
//! that everything that is wrong with it can be told at once.
//!
//! ```text
//! text ── compose (granit-parser) ──► Node ── decode (serde) ──► typed values
//! ```

#[cfg(feature = "profile")]
pub(crate) mod compose;
#[cfg(feature = "profile")]
pub(crate) mod decode;
#[cfg(feature = "profile")]
pub(crate) mod node;

use serde::de::DeserializeOwned;

/// Why a text is not what was to be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Unreadable {
    /// What is wrong.
    pub message: String,
    /// The line and the column, both from 1, the column in characters; none if the parser does not know.
    pub place: Option<(u64, u64)>,
}

impl From<&serde_saphyr::Error> for Unreadable {
    fn from(error: &serde_saphyr::Error) -> Self {
        let error = error.without_snippet();
        let message = match error {
            serde_saphyr::Error::SerdeUnknownField { field, expected, .. } => {
                format!("unknown key `{field}`; known here: {}", expected.join(", "))
            }
            serde_saphyr::Error::Message { msg, .. } => msg.clone(),
            other => {
                let formatter = serde_saphyr::UserMessageFormatter;
                serde_saphyr::MessageFormatter::format_message(&formatter, other).into_owned()
            }
        };
        Self { message, place: error.location().map(|at| (at.line(), at.column())) }
    }
}

/// Reads one YAML document.
pub fn parse<T: DeserializeOwned>(source: &str) -> Result<T, Unreadable> {
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
    serde_saphyr::from_str_with_options(source, options).map_err(|error| Unreadable::from(&error))
}

/// Reads one YAML document of a user's; what is wrong with it comes with its place.
#[cfg(feature = "profile")]
pub fn read<T: DeserializeOwned>(source: &str) -> Result<T, crate::Problem> {
    let mut problems = Vec::new();
    let file = crate::FileId::default();
    let tree = compose::compose(source, file, &mut compose::Nothing, &mut problems)?;
    match problems.into_iter().next() {
        Some(problem) => Err(problem),
        None => decode::decode(&tree).map_err(|failure| failure.problem),
    }
}

/// Writes a value as YAML.
#[cfg(feature = "profile")]
pub fn write<T: serde::Serialize>(value: &T) -> Result<String, String> {
    serde_saphyr::to_string(value).map_err(|error| error.to_string())
}
