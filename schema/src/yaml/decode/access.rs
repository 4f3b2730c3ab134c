//! How serde walks through a node.

use serde::de::value::{MapDeserializer, StrDeserializer};
use serde::de::{
    DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::{Decoder, Failure};
use crate::Span;
use crate::problem::{Code, Problem};
use crate::yaml::node::{Entry, Key, Node, Origin, OriginKind, Scalar};

/// A failure that has no place yet: a missing key is told of what owns the map, all else of the value.
fn placed(failure: Failure, value: &Node, owner: Span) -> Failure {
    discreet(failure, value).unless_missing(value.marked()).at(owner)
}

/// A failure that has no place yet is about this value. If that was looked up, what is quoted of it is hidden:
/// as a whole it will be anyway, but a part of it nobody would know again.
fn discreet(mut failure: Failure, value: &Node) -> Failure {
    let secret = value.origin.as_ref().filter(|origin| origin.kind != OriginKind::File);
    if let (Some(origin), Some(text), None) = (secret, value.text(), failure.problem.span) {
        let problem = &mut failure.problem;
        problem.message = without_quotes(&problem.message, text, origin);
        problem.help = problem.help.as_ref().map(|help| without_quotes(help, text, origin));
    }
    failure
}

/// What is told, with `origin` in the place of every quote from `text`.
fn without_quotes(told: &str, text: &str, origin: &Origin) -> String {
    let pieces = told.split('`').enumerate().map(|(at, piece)| {
        if at % 2 == 1 && text.contains(piece) { origin.to_string() } else { piece.to_owned() }
    });
    pieces.collect::<Vec<String>>().join("`")
}

/// The items of a list.
pub(super) struct Items<'de> {
    rest: std::iter::Enumerate<std::slice::Iter<'de, Node>>,
}

impl<'de> Items<'de> {
    pub(super) fn new(items: &'de [Node]) -> Self {
        Self { rest: items.iter().enumerate() }
    }
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Failure;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Failure> {
        let Some((at, node)) = self.rest.next() else { return Ok(None) };
        seed.deserialize(Decoder { node })
            .map(Some)
            .map_err(|failure| placed(failure, node, node.head()).inside(at))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// The entries of a map.
pub(super) struct Entries<'de> {
    rest: std::iter::Enumerate<std::slice::Iter<'de, Entry>>,
    open: Option<(usize, &'de Entry)>,
}

impl<'de> Entries<'de> {
    pub(super) fn new(entries: &'de [Entry]) -> Self {
        Self { rest: entries.iter().enumerate(), open: None }
    }
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Failure;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Failure> {
        self.open = self.rest.next();
        let Some((at, entry)) = self.open else { return Ok(None) };
        let key: StrDeserializer<'_, Failure> = entry.key.text.as_str().into_deserializer();
        seed.deserialize(key).map(Some).map_err(|failure| failure.at(entry.key.span).inside(at))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Failure> {
        let (at, entry) = self.open.take().expect("serde asks for the key first");
        seed.deserialize(Decoder { node: &entry.value })
            .map_err(|failure| placed(failure, &entry.value, entry.key.span).inside(at))
    }
}

/// A choice that is written as a map of one key.
pub(super) struct Choice<'de> {
    pub(super) entry: &'de Entry,
}

impl<'de> EnumAccess<'de> for Choice<'de> {
    type Error = Failure;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Failure> {
        let word: StrDeserializer<'_, Failure> = self.entry.key.text.as_str().into_deserializer();
        let variant = seed.deserialize(word).map_err(|failure| failure.at(self.entry.key.span))?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Choice<'de> {
    type Error = Failure;

    /// A choice with nothing to say about it is a word, not a key.
    fn unit_variant(self) -> Result<(), Failure> {
        let Key { text, span } = &self.entry.key;
        let problem = Problem::new(Code::WrongType, Some(*span), "there should be a word here");
        let problem = problem.label("should be a word").help(format!("write `{text}` alone"));
        Err(Failure::new(problem))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Failure> {
        seed.deserialize(Decoder { node: &self.entry.value })
            .map_err(|failure| placed(failure, &self.entry.value, self.entry.key.span).inside(0))
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        _length: usize,
        _visitor: V,
    ) -> Result<V::Value, Failure> {
        Err(Decoder { node: &self.entry.value }.wrong("a map"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        use serde::de::Deserializer;
        Decoder { node: &self.entry.value }
            .deserialize_map(visitor)
            .map_err(|failure| failure.at(self.entry.key.span).inside(0))
    }
}

/// A node and its place, as [`crate::Sp`] reads them: file, start, end, value.
pub(super) struct Spanned<'de> {
    node: &'de Node,
    next: usize,
}

impl<'de> Spanned<'de> {
    pub(super) fn new(node: &'de Node) -> Self {
        Self { node, next: 0 }
    }
}

impl<'de> MapAccess<'de> for Spanned<'de> {
    type Error = Failure;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Failure> {
        let Some(key) = ["file", "start", "end", "value"].get(self.next) else { return Ok(None) };
        self.next += 1;
        let key: StrDeserializer<'_, Failure> = (*key).into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Failure> {
        let span = self.node.marked();
        match self.next {
            1 => seed.deserialize(usize::from(span.file.0).into_deserializer()),
            2 => seed.deserialize(span.start.into_deserializer()),
            3 => seed.deserialize(span.end.into_deserializer()),
            _ => seed
                .deserialize(Decoder { node: self.node })
                .map_err(|failure| discreet(failure, self.node).unless_missing(span)),
        }
    }
}

/// A text and where it was looked up, as [`crate::profile::Source`] reads them.
pub(super) fn origin<'de>(
    node: &'de Node,
    text: &'de Scalar,
) -> MapDeserializer<'de, std::vec::IntoIter<(&'static str, &'de str)>, Failure> {
    let mut parts = vec![("text", text.text.as_str())];
    if let Some(origin) = &node.origin {
        parts.extend([("kind", origin.kind.word()), ("name", origin.name.as_str())]);
    }
    MapDeserializer::new(parts.into_iter())
}
