use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::{Architecture, Model};
use crate::Sp;
use crate::problem::nearest;
use crate::values::{InvalidValue, Release, Sha256, Url, refuse};

/// The operating system to start from: one that has a name, or an image of your own.
#[derive(Clone, Debug)]
pub enum Base {
    /// A base that has a name.
    Named(NamedBase),
    /// A certain release of a base that has a name.
    Released(ReleasedBase),
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
    /// Raspberry Pi OS with a desktop, 64 bits.
    RaspiosArm64,
    /// Raspberry Pi OS with a desktop, 32 bits, for every board.
    RaspiosArmhf,
    /// Raspberry Pi OS with a desktop and recommended software, 64 bits.
    RaspiosFullArm64,
    /// Raspberry Pi OS with a desktop and recommended software, 32 bits.
    RaspiosFullArmhf,
}

impl NamedBase {
    /// Every base that has a name.
    pub const ALL: [Self; 8] = [
        Self::DebianTrixieArm64,
        Self::DebianBookwormArmel,
        Self::RaspiosLiteArm64,
        Self::RaspiosLiteArmhf,
        Self::RaspiosArm64,
        Self::RaspiosArmhf,
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
            Self::RaspiosArm64 => "raspios-arm64",
            Self::RaspiosArmhf => "raspios-armhf",
            Self::RaspiosFullArm64 => "raspios-full-arm64",
            Self::RaspiosFullArmhf => "raspios-full-armhf",
        }
    }

    /// What its programs are compiled for. Raspberry Pi OS calls `armhf` what is made for ARMv6.
    pub const fn architecture(self) -> Architecture {
        match self {
            Self::DebianTrixieArm64
            | Self::RaspiosLiteArm64
            | Self::RaspiosArm64
            | Self::RaspiosFullArm64 => Architecture::Arm64,
            Self::DebianBookwormArmel
            | Self::RaspiosLiteArmhf
            | Self::RaspiosArmhf
            | Self::RaspiosFullArmhf => Architecture::Armel,
        }
    }

    /// The models whose firmware it holds.
    pub const fn models(self) -> &'static [Model] {
        const BITS_64: &[Model] = &[Model::Pi3, Model::PiZero2W, Model::Pi4, Model::Pi5];
        match self {
            Self::DebianTrixieArm64
            | Self::RaspiosLiteArm64
            | Self::RaspiosArm64
            | Self::RaspiosFullArm64 => BITS_64,
            Self::DebianBookwormArmel => &[Model::PiZeroW, Model::Pi1],
            Self::RaspiosLiteArmhf | Self::RaspiosArmhf | Self::RaspiosFullArmhf => &Model::ALL,
        }
    }

    /// Is it downloaded, out of the list of images that Raspberry Pi publishes? Those come in releases; the others
    /// are made on this machine.
    pub const fn is_published(self) -> bool {
        !matches!(self, Self::DebianTrixieArm64 | Self::DebianBookwormArmel)
    }

    /// The base that a profile names so.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|base| base.name() == name)
    }
}

/// A certain release of a base that has a name: `raspios-lite-arm64@bookworm`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleasedBase {
    /// The base.
    pub base: NamedBase,
    /// Debian's name for it, or the day on which it came out.
    pub release: Release,
}

impl fmt::Display for ReleasedBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.base.name(), self.release)
    }
}

impl FromStr for ReleasedBase {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let Some((name, release)) = text.split_once('@') else {
            refuse!("`{text}` names no release: that is `raspios-lite-arm64@bookworm`")
        };
        let published = NamedBase::ALL.into_iter().filter(|base| base.is_published());
        match NamedBase::from_name(name) {
            Some(base) if base.is_published() => Ok(Self { base, release: release.parse()? }),
            Some(base) => {
                refuse!("`{}` has no releases to choose from: leave `@{release}` out", base.name())
            }
            None => {
                let known: Vec<&str> = published.map(NamedBase::name).collect();
                if let Some(known) = nearest(name, known.iter().copied()) {
                    refuse!("unknown base `{name}`; did you mean `{known}`?");
                }
                refuse!("unknown base `{name}`; those with releases are {}", known.join(", "))
            }
        }
    }
}

/// An image file to start from.
#[derive(Clone, Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileBase {
    /// The image, relative to the profile: plain, `.xz`, `.zst`, `.gz`, or a `.zip` with one image in it.
    #[schemars(example = &"raspios.img.xz")]
    pub file: Sp<PathBuf>,
    /// The SHA-256 of the file as it lies there, compressed or not. Left out: whatever lies there is taken.
    #[serde(default)]
    pub sha256: Option<Sp<Sha256>>,
}

/// An image to download and start from.
#[derive(Clone, Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UrlBase {
    /// Where it is: an image as `file` takes it.
    pub url: Sp<Url>,
    /// The SHA-256 of the file as it is there.
    pub sha256: Sp<Sha256>,
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(base) => f.write_str(base.name()),
            Self::Released(base) => base.fmt(f),
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
        let released = json_schema!({
            "type": "string",
            "pattern": "^raspios-((lite|full)-)?(arm64|armhf)@([a-z]{3,20}|[0-9]{4}-[0-9]{2}-[0-9]{2})$",
            "description": "A certain release of Raspberry Pi OS: Debian's name for it, or its day. Without one, the newest.",
            "examples": ["raspios-lite-arm64@bookworm"],
        });
        json_schema!({ "anyOf": [{ "type": "string", "enum": names }, released, file, url] })
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
        if let Some(base) = NamedBase::from_name(name) {
            return Ok(Base::Named(base));
        }
        if name.contains('@') {
            return name.parse().map(Base::Released).map_err(E::custom);
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
