//! From a tree to typed values, by serde.
//!
//! What a scalar means is decided by the type it is read as: `1234` is a text where a text belongs.

mod access;
mod failure;
mod number;

use serde::de::value::StrDeserializer;
use serde::de::{Deserialize, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::node::{Kind, Node, Scalar};
use crate::problem::{Code, Problem, nearest};
use access::{Choice, Entries, Items, Spanned};
use number::{fraction, whole};

pub(crate) use failure::{Failure, Fault};

/// The name under which [`crate::Sp`] asks for its place.
pub(crate) const SPANNED: &str = "$imgbuild::Sp";
/// The name under which a text asks where it was looked up.
pub(crate) const ORIGIN: &str = "$imgbuild::Origin";

/// Reads a value out of a tree.
pub(crate) fn decode<'de, T: Deserialize<'de>>(root: &'de Node) -> Result<T, Failure> {
    T::deserialize(Decoder { node: root })
}

/// Reads one node.
#[derive(Clone, Copy)]
struct Decoder<'de> {
    node: &'de Node,
}

impl<'de> Decoder<'de> {
    /// Refuses a tag that nobody knows; YAML's own say nothing that is not known without them.
    fn tag(self) -> Result<(), Failure> {
        match self.node.tag.as_ref().filter(|tag| !tag.name.starts_with("!!")) {
            Some(tag) => Err(unknown_tag(&tag.name).at(tag.span)),
            None => Ok(()),
        }
    }

    fn scalar(self, wanted: &str) -> Result<&'de Scalar, Failure> {
        self.tag()?;
        match &self.node.kind {
            Kind::Scalar(scalar) => Ok(scalar),
            _ => Err(self.wrong(wanted)),
        }
    }

    /// Something else stands where `wanted` belongs.
    fn wrong(self, wanted: &str) -> Failure {
        let message = if self.node.is_null() {
            format!("there is nothing here, and there should be {wanted}")
        } else {
            format!("there should be {wanted} here")
        };
        let problem = Problem::new(Code::WrongType, None, message);
        Failure::new(problem.label(format!("should be {wanted}"))).at(self.node.head())
    }
}

fn unknown_tag(name: &str) -> Failure {
    let known = ["!secret", "!env", "!file", "!include"];
    let problem = Problem::new(Code::UnknownChoice, None, format!("unknown tag `{name}`"));
    Failure::new(problem.label("no such tag").help(match nearest(name, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known are {}", known.map(|tag| format!("`{tag}`")).join(", ")),
    }))
}

macro_rules! whole_numbers {
    ($($method:ident $visit:ident $number:ty;)+) => { $(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
            let number = self.number("a whole number", whole)?;
            let number = <$number>::try_from(number).map_err(|_| {
                let range = format!("from {} to {}", <$number>::MIN, <$number>::MAX);
                let problem = Problem::new(Code::InvalidValue, None, format!("{number} is out of range"));
                Failure::new(problem.label(format!("should be {range}"))).at(self.node.span)
            })?;
            visitor.$visit::<Failure>(number).map_err(|failure| failure.at(self.node.span))
        }
    )+ };
}

impl<'de> Deserializer<'de> for Decoder<'de> {
    type Error = Failure;

    /// By the core schema of YAML 1.2, for whoever takes several things.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match &self.node.kind {
            Kind::List(_) => return self.deserialize_seq(visitor),
            Kind::Map(_) => return self.deserialize_map(visitor),
            Kind::Scalar(_) => {}
        }
        let scalar = self.scalar("a value")?;
        let visited = if scalar.is_null() {
            visitor.visit_unit()
        } else if let Some(truth) = scalar.truth() {
            visitor.visit_bool(truth)
        } else if let Some(Ok(number)) =
            whole(&scalar.text).filter(|_| scalar.plain).map(i64::try_from)
        {
            visitor.visit_i64(number)
        } else if let Some(number) = fraction(&scalar.text).filter(|_| scalar.plain) {
            visitor.visit_f64(number)
        } else {
            visitor.visit_borrowed_str(&scalar.text)
        };
        visited.map_err(|failure: Failure| failure.at(self.node.span))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let wanted = "`true` or `false`";
        match self.scalar(wanted)?.truth() {
            Some(truth) => visitor.visit_bool(truth),
            None => Err(self.wrong(wanted)),
        }
    }

    whole_numbers! {
        deserialize_u8 visit_u8 u8;
        deserialize_u16 visit_u16 u16;
        deserialize_u32 visit_u32 u32;
        deserialize_u64 visit_u64 u64;
        deserialize_i8 visit_i8 i8;
        deserialize_i16 visit_i16 i16;
        deserialize_i32 visit_i32 i32;
        deserialize_i64 visit_i64 i64;
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let number = self.number("a number", fraction)?;
        visitor.visit_f64::<Failure>(number).map_err(|failure| failure.at(self.node.span))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let scalar = self.scalar("a text")?;
        if scalar.is_null() {
            return Err(self.wrong("a text"));
        }
        let visited = visitor.visit_borrowed_str(&scalar.text);
        visited.map_err(|failure: Failure| failure.at(self.node.span))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        if self.node.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        if self.node.is_null() { visitor.visit_unit() } else { Err(self.wrong("nothing")) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        // what the value's own type finds wrong with it is placed here
        visitor.visit_newtype_struct(self).map_err(|failure| failure.unless_missing(self.node.span))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let Kind::List(items) = &self.node.kind else { return Err(self.wrong("a list")) };
        self.tag()?;
        visitor.visit_seq(Items::new(items)).map_err(|failure| failure.at(self.node.head()))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let Kind::Map(entries) = &self.node.kind else { return Err(self.wrong("a map")) };
        self.tag()?;
        // a missing key is placed by whoever knows what this map belongs to
        visitor
            .visit_map(Entries::new(entries))
            .map_err(|failure| failure.unless_missing(self.node.head()))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        match name {
            SPANNED => visitor.visit_map(Spanned::new(self.node)),
            ORIGIN => {
                let text = self.scalar("a text")?;
                if text.is_null() {
                    return Err(self.wrong("a text"));
                }
                visitor.visit_map(access::origin(self.node, text))
            }
            _ => self.deserialize_map(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.tag()?;
        match &self.node.kind {
            Kind::Scalar(_) => {
                let word = self.scalar("a word")?;
                if word.is_null() {
                    return Err(self.wrong("a word"));
                }
                let word: StrDeserializer<'_, Failure> = word.text.as_str().into_deserializer();
                visitor.visit_enum(word).map_err(|failure| failure.at(self.node.span))
            }
            Kind::Map(entries) => match entries.as_slice() {
                [entry] => visitor.visit_enum(Choice { entry }),
                [] => Err(one_of(variants, "there is nothing here", "should be one of several")
                    .at(self.node.span)),
                [_, second, ..] => {
                    Err(one_of(variants, "only one of these can be here", "one too many")
                        .at(second.key.span))
                }
            },
            Kind::List(_) => Err(self.wrong("a map with one key")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { i128 u128 bytes byte_buf unit_struct tuple tuple_struct }
}

fn one_of(variants: &[&str], message: &str, label: &str) -> Failure {
    let problem = Problem::new(Code::ChooseOne, None, message);
    Failure::new(problem.label(label).help(format!("to choose from: {}", variants.join(", "))))
}
