use std::fmt;
use std::path::PathBuf;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::{Architecture, Model};
use crate::Sp;
use crate::problem::nearest;

/// The operating system to start from: one that has a name, or an image of your own.
#[derive(Clone, Debug)]
pub enum Base {
    /// A base that imgbuild makes itself.
    Named(NamedBase),
    /// An image file.
    File(FileBase),
}

/// A base that imgbuild makes itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NamedBase {
    /// Debian 13 for 64-bit boards.
    DebianTrixieArm64,
}

impl NamedBase {
    /// Every base that has a name.
    pub const ALL: [Self; 1] = [Self::DebianTrixieArm64];

    /// The base as a profile names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DebianTrixieArm64 => "debian-trixie-arm64",
        }
    }

    /// What its programs are compiled for.
    pub const fn architecture(self) -> Architecture {
        match self {
            Self::DebianTrixieArm64 => Architecture::Arm64,
        }
    }

    /// The models whose firmware it holds.
    pub const fn models(self) -> &'static [Model] {
        match self {
            Self::DebianTrixieArm64 => &[Model::Pi3, Model::PiZero2W, Model::Pi4, Model::Pi5],
        }
    }
}

/// An image file to start from.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileBase {
    /// The image, relative to the profile.
    pub file: Sp<PathBuf>,
}

impl<'de> Deserialize<'de> for Base {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BaseVisitor)
    }
}

struct BaseVisitor;

impl<'de> Visitor<'de> for BaseVisitor {
    type Value = Base;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a base, or a map with `file`")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Base, E> {
        let names = NamedBase::ALL.map(NamedBase::name);
        if let Some(base) = NamedBase::ALL.into_iter().find(|base| base.name() == name) {
            return Ok(Base::Named(base));
        }
        Err(E::custom(match nearest(name, names) {
            Some(known) => format!("unknown base `{name}`; did you mean `{known}`?"),
            None => format!(
                "unknown base `{name}`; known are {}, and `{{file: image.img}}` takes one of your own",
                names.join(", ")
            ),
        }))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Base, A::Error> {
        FileBase::deserialize(MapAccessDeserializer::new(map)).map(Base::File)
    }
}
