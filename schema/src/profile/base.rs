use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::{Architecture, Model};
use crate::Sp;
use crate::problem::nearest;
use crate::values::{Sha256, Url};

/// The operating system to start from: one that has a name, or an image of your own.
#[derive(Clone, Debug)]
pub enum Base {
    /// A base that has a name.
    Named(NamedBase),
    /// An image file.
    File(FileBase),
    /// An image to download.
    Url(UrlBase),
}

/// A base that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NamedBase {
    /// Debian 13 for 64-bit boards.
    DebianTrixieArm64,
    /// Debian 12 for the first boards, with ARMv6.
    DebianBookwormArmel,
    /// Raspberry Pi OS Lite, 64 bits.
    RaspiosLiteArm64,
    /// Raspberry Pi OS Lite, 32 bits, for every board.
    RaspiosLiteArmhf,
    /// Raspberry Pi OS with a desktop and recommended software, 64 bits.
    RaspiosFullArm64,
    /// Raspberry Pi OS with a desktop and recommended software, 32 bits.
    RaspiosFullArmhf,
}

impl NamedBase {
    /// Every base that has a name.
    pub const ALL: [Self; 6] = [
        Self::DebianTrixieArm64,
        Self::DebianBookwormArmel,
        Self::RaspiosLiteArm64,
        Self::RaspiosLiteArmhf,
        Self::RaspiosFullArm64,
        Self::RaspiosFullArmhf,
    ];

    /// The base as a profile names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DebianTrixieArm64 => "debian-trixie-arm64",
            Self::DebianBookwormArmel => "debian-bookworm-armel",
            Self::RaspiosLiteArm64 => "raspios-lite-arm64",
            Self::RaspiosLiteArmhf => "raspios-lite-armhf",
            Self::RaspiosFullArm64 => "raspios-full-arm64",
            Self::RaspiosFullArmhf => "raspios-full-armhf",
        }
    }

    /// What its programs are compiled for. Raspberry Pi OS calls `armhf` what is made for ARMv6.
    pub const fn architecture(self) -> Architecture {
        match self {
            Self::DebianTrixieArm64 | Self::RaspiosLiteArm64 | Self::RaspiosFullArm64 => {
                Architecture::Arm64
            }
            Self::DebianBookwormArmel | Self::RaspiosLiteArmhf | Self::RaspiosFullArmhf => {
                Architecture::Armel
            }
        }
    }

    /// The models whose firmware it holds.
    pub const fn models(self) -> &'static [Model] {
        const BITS_64: &[Model] = &[Model::Pi3, Model::PiZero2W, Model::Pi4, Model::Pi5];
        match self {
            Self::DebianTrixieArm64 | Self::RaspiosLiteArm64 | Self::RaspiosFullArm64 => BITS_64,
            Self::DebianBookwormArmel => &[Model::PiZeroW, Model::Pi1],
            Self::RaspiosLiteArmhf | Self::RaspiosFullArmhf => &Model::ALL,
        }
    }
}

/// An image file to start from.
#[derive(Clone, Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileBase {
    /// The image, relative to the profile.
    #[schemars(example = &"raspios.img.xz")]
    pub file: Sp<PathBuf>,
    /// The SHA-256 of the file as it lies there. Left out: whatever lies there is taken.
    #[serde(default)]
    pub sha256: Option<Sp<Sha256>>,
}

/// An image to download and start from.
#[derive(Clone, Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UrlBase {
    /// Where it is.
    pub url: Sp<Url>,
    /// The SHA-256 of the file as it is there.
    pub sha256: Sp<Sha256>,
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(base) => f.write_str(base.name()),
            Self::File(base) => base.file.display().fmt(f),
            Self::Url(base) => base.url.fmt(f),
        }
    }
}

impl<'de> Deserialize<'de> for Base {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BaseVisitor)
    }
}

impl JsonSchema for Base {
    fn schema_name() -> Cow<'static, str> {
        "Base".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let names = NamedBase::ALL.map(NamedBase::name);
        let file = generator.subschema_for::<FileBase>();
        let url = generator.subschema_for::<UrlBase>();
        json_schema!({ "anyOf": [{ "type": "string", "enum": names }, file, url] })
    }
}

struct BaseVisitor;

impl<'de> Visitor<'de> for BaseVisitor {
    type Value = Base;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a base, `{file: …}` or `{url: …, sha256: …}`")
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
        /// Either form; which one it is, `url` tells.
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Image {
            #[serde(default)]
            file: Option<Sp<PathBuf>>,
            #[serde(default)]
            url: Option<Sp<Url>>,
            #[serde(default)]
            sha256: Option<Sp<Sha256>>,
        }
        let Image { file, url, sha256 } = Image::deserialize(MapAccessDeserializer::new(map))?;
        match (file, url, sha256) {
            (Some(file), None, sha256) => Ok(Base::File(FileBase { file, sha256 })),
            (None, Some(url), Some(sha256)) => Ok(Base::Url(UrlBase { url, sha256 })),
            (None, Some(_), None) => Err(serde::de::Error::missing_field("sha256")),
            (Some(_), Some(_), _) => {
                Err(serde::de::Error::custom("a base is a `file` or a `url`, not both"))
            }
            (None, None, _) => Err(serde::de::Error::missing_field("file")),
        }
    }
}
