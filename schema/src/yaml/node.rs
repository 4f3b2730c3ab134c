//! A YAML document as a tree in which every node knows its place.

use crate::Span;

/// One node.
#[derive(Clone)]
pub(crate) struct Node {
    /// Where it is written. For a list or a map: from its first to its last character.
    pub(crate) span: Span,
    /// What is written before it, as in `!secret wifi`.
    pub(crate) tag: Option<Tag>,
    /// Where its text was looked up, if it was.
    pub(crate) origin: Option<Origin>,
    /// What it is.
    pub(crate) kind: Kind,
}

/// A tag as it is written, with its exclamation mark.
#[derive(Clone)]
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) span: Span,
}

/// A place outside the profile that a text comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// What it was looked up by.
    pub kind: OriginKind,
    /// What it was looked up as.
    pub name: String,
}

/// The kinds of place that a tag names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OriginKind {
    /// `!secret NAME`: the secrets beside the profile.
    Secret,
    /// `!env NAME`: the environment.
    Variable,
    /// `!file PATH`: a file.
    File,
}

impl OriginKind {
    const ALL: [Self; 3] = [Self::Secret, Self::Variable, Self::File];

    /// The tag's word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Variable => "env",
            Self::File => "file",
        }
    }

    /// The kind of this word.
    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "‹{} {}›", self.kind.word(), self.name)
    }
}

/// What a node is.
#[derive(Clone)]
pub(crate) enum Kind {
    /// A text, a number, a word: which of them, whoever reads it decides.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order in which it is written.
    Map(Vec<Entry>),
}

/// A scalar as it is written, escapes undone.
#[derive(Clone)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    /// Without quotes: then it may mean a number, a truth value or nothing.
    pub(crate) plain: bool,
}

/// A key and its value.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    pub(crate) value: Node,
}

/// A key.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) span: Span,
}

impl Node {
    pub(crate) fn scalar(span: Span, text: impl Into<String>, plain: bool) -> Self {
        let kind = Kind::Scalar(Scalar { text: text.into(), plain });
        Self { span, tag: None, origin: None, kind }
    }

    /// Is nothing written here?
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar(scalar) if scalar.is_null())
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        let Kind::Map(entries) = &self.kind else { return None };
        entries.iter().find(|entry| entry.key.text == key).map(|entry| &entry.value)
    }

    /// The text, if it is a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// What can be marked of a node that may go over many lines: its first key, its first item.
    pub(crate) fn head(&self) -> Span {
        match &self.kind {
            Kind::Map(entries) => entries.first().map(|entry| entry.key.span),
            Kind::List(items) => items.first().map(Self::head),
            Kind::Scalar(_) => None,
        }
        .unwrap_or(self.span)
    }

    /// What is marked when something is said about a node as a whole: a scalar with its tag, a map in braces
    /// with them, of anything longer the head.
    pub(crate) fn marked(&self) -> Span {
        let head = self.head();
        match &self.tag {
            Some(tag) if tag.span.file == self.span.file => {
                Span { start: tag.span.start, ..self.span }
            }
            _ if head.start > self.span.start => self.span,
            _ => head,
        }
    }

    /// How many nodes there are from here on.
    pub(crate) fn count(&self) -> usize {
        1 + match &self.kind {
            Kind::Scalar(_) => 0,
            Kind::List(items) => items.iter().map(Self::count).sum(),
            Kind::Map(entries) => entries.iter().map(|entry| entry.value.count()).sum(),
        }
    }

    /// How many bytes of text there are from here on.
    pub(crate) fn bytes(&self) -> usize {
        match &self.kind {
            Kind::Scalar(scalar) => scalar.text.len(),
            Kind::List(items) => items.iter().map(Self::bytes).sum(),
            Kind::Map(entries) => {
                entries.iter().map(|entry| entry.key.text.len() + entry.value.bytes()).sum()
            }
        }
    }

    /// Visits every node, this one first.
    pub(crate) fn visit(&mut self, visit: &mut dyn FnMut(&mut Self)) {
        visit(self);
        match &mut self.kind {
            Kind::Scalar(_) => {}
            Kind::List(items) => items.iter_mut().for_each(|item| item.visit(visit)),
            Kind::Map(entries) => entries.iter_mut().for_each(|entry| entry.value.visit(visit)),
        }
    }
}

impl Scalar {
    /// YAML 1.2, core schema, section 10.3.2.
    pub(crate) fn is_null(&self) -> bool {
        self.plain && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }

    /// YAML 1.2, core schema: `yes`, `no`, `on` and `off` are texts.
    pub(crate) fn truth(&self) -> Option<bool> {
        match self.text.as_str() {
            "true" | "True" | "TRUE" if self.plain => Some(true),
            "false" | "False" | "FALSE" if self.plain => Some(false),
            _ => None,
        }
    }
}
