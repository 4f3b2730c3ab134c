//! Values that remember where they were written.

use std::ops::Deref;

use serde::{Deserialize, Deserializer};

/// A stretch of a source text, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Span {
    /// Where the parser says a node lies; none where it does not know.
    pub(crate) fn of(location: &serde_saphyr::Location) -> Option<Self> {
        let span = location.span();
        let start = usize::try_from(span.byte_offset()?).ok()?;
        let length = usize::try_from(span.byte_len()?).ok()?;
        Some(Self { start, end: start + length })
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

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Sp<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde_saphyr::Spanned::<T>::deserialize(deserializer)
            .map(|spanned| Self { span: Span::of(&spanned.referenced), value: spanned.value })
    }
}
