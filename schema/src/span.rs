//! Values that remember where they were written.

use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One of the files that a profile is made of; the first is the profile itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileId(pub(crate) u16);

/// A stretch of a source text, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Span {
    /// Does the other lie within this one?
    pub(crate) fn holds(&self, other: &Self) -> bool {
        self.file == other.file && self.start <= other.start && other.end <= self.end
    }
}

/// A value and where in the profile it was written.
#[derive(Clone, Debug)]
pub struct Sp<T> {
    value: T,
    span: Option<Span>,
}

impl<T> Sp<T> {
    /// A value that nobody wrote: a default.
    pub fn implied(value: T) -> Self {
        Self { value, span: None }
    }

    /// Where the value was written; none for a default.
    pub fn span(&self) -> Option<Span> {
        self.span
    }

    /// The value alone.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// Another value in the same place.
    pub fn with<U>(&self, value: U) -> Sp<U> {
        Sp { value, span: self.span }
    }
}

impl<T> Deref for Sp<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Default> Default for Sp<T> {
    fn default() -> Self {
        Self::implied(T::default())
    }
}

/// Reads the value together with its place, which the profile's own reader gives under this name.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Sp<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(rename = "$imgbuild::Sp")]
        struct Placed<T> {
            file: u16,
            start: usize,
            end: usize,
            value: T,
        }
        let Placed { file, start, end, value } = Placed::deserialize(deserializer)?;
        Ok(Self { value, span: Some(Span { file: FileId(file), start, end }) })
    }
}

impl<T: Serialize> Serialize for Sp<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

/// The schema of a value in its place is the schema of the value.
impl<T: schemars::JsonSchema> schemars::JsonSchema for Sp<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        T::json_schema(generator)
    }
}
