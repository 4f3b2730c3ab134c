//! `imgbuild.lock`: what the bases of the profiles in a folder were when they were first built from.
//!
//! JSON, its keys in order, so that it is the same whoever writes it and differs little from one state to the next:
//! it belongs beside the profiles, in the same repository.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, ensure};
use serde::{Deserialize, Serialize};

use super::record::sha256;
use crate::scratch;

/// What a base is: where it came from, and what it has to be from then on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// Where it was downloaded, without what may be a password or a token.
    pub url: String,
    /// The SHA-256 of the file that is there.
    #[serde(deserialize_with = "sha256")]
    pub sha256: String,
    /// Bytes of that file.
    pub size: u64,
    /// The SHA-256 of the image that is unpacked from it.
    #[serde(deserialize_with = "sha256")]
    pub extract_sha256: String,
    /// Bytes of the image.
    pub extract_size: u64,
    /// The day on which it came out, for those out of Raspberry Pi's list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_date: Option<String>,
    /// How Raspberry Pi Imager would configure it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init_format: Option<String>,
}

/// The whole file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    version: u32,
    bases: BTreeMap<String, Pin>,
}

/// The version of the form that is written.
const VERSION: u32 = 1;
/// The name of the file.
const NAME: &str = "imgbuild.lock";

/// The `imgbuild.lock` of a folder, which need not be there.
#[derive(Clone, Debug)]
pub struct Pins {
    path: PathBuf,
}

impl Pins {
    /// The one beside a profile.
    pub fn beside(profile: &Path) -> Self {
        Self { path: profile.with_file_name(NAME) }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What a base is pinned to, by its name or its address.
    pub fn get(&self, base: &str) -> anyhow::Result<Option<Pin>> {
        Ok(self.read()?.bases.remove(base))
    }

    /// Pins a base, and leaves the others as they are.
    pub fn set(&self, base: &str, pin: &Pin) -> anyhow::Result<()> {
        let folder = scratch::parent(&self.path);
        // two builds may pin at the same time: the folder is the one thing that is there before the file is
        let lock = File::open(folder).with_context(|| format!("opening {}", folder.display()))?;
        lock.lock().with_context(|| format!("locking {}", folder.display()))?;
        let mut content = self.read()?;
        if content.bases.get(base) == Some(pin) {
            return Ok(());
        }
        content.bases.insert(base.to_owned(), pin.clone());
        self.write(&content).with_context(|| {
            format!("writing {}, which pins {base} to what it is now", self.path.display())
        })
    }

    fn read(&self) -> anyhow::Result<Content> {
        let content = match fs::read_to_string(&self.path) {
            Ok(text) => serde_json::from_str(&text).map_err(|error| anyhow!("{error}")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Content { version: VERSION, bases: BTreeMap::new() });
            }
            Err(error) => Err(error.into()),
        };
        let checked = content.and_then(|content: Content| {
            let version = content.version;
            ensure!(
                version == VERSION,
                "its version is {version}, and this program reads {VERSION}"
            );
            Ok(content)
        });
        checked.with_context(|| {
            format!("reading {} (removed, it is written anew)", self.path.display())
        })
    }

    fn write(&self, content: &Content) -> anyhow::Result<()> {
        let mut file = scratch::file_beside(&self.path, 0o666)?;
        let text = serde_json::to_string_pretty(content)?;
        writeln!(file, "{text}")?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(size: u64) -> Pin {
        Pin {
            url: "https://example.org/a.img.xz".into(),
            sha256: "a".repeat(64),
            size,
            extract_sha256: "b".repeat(64),
            extract_size: 2 * size,
            release_date: Some("2025-10-01".into()),
            init_format: None,
        }
    }

    #[test]
    fn pins_are_the_same_in_whatever_order_they_come() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let pins = folders.each_ref().map(|folder| Pins::beside(&folder.path().join("a.yaml")));
        for name in ["b", "a"] {
            pins[0].set(name, &pin(1)).unwrap();
        }
        for (name, size) in [("a", 2), ("b", 1), ("a", 1)] {
            pins[1].set(name, &pin(size)).unwrap();
        }
        let texts = pins.each_ref().map(|pins| fs::read_to_string(pins.path()).unwrap());
        assert_eq!(texts[0], texts[1]);
        assert_eq!(pins[0].get("a").unwrap(), Some(pin(1)));
        assert_eq!(pins[0].get("c").unwrap(), None);
    }

    #[test]
    fn many_at_once_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let pins = Pins::beside(&folder.path().join("a.yaml"));
        std::thread::scope(|scope| {
            for number in 0..16 {
                let pins = &pins;
                scope.spawn(move || pins.set(&number.to_string(), &pin(number)).unwrap());
            }
        });
        for number in 0..16 {
            assert_eq!(pins.get(&number.to_string()).unwrap(), Some(pin(number)));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn one_that_cannot_be_read_is_an_error_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let pins = Pins::beside(&folder.path().join("a.yaml"));
        for (text, words) in [
            ("{", "EOF while parsing an object"),
            ("{\"version\": 2, \"bases\": {}}", "its version is 2, and this program reads 1"),
            ("{\"version\": 1, \"bases\": {\"a\": {}}}", "missing field `url`"),
            ("{\"version\": 1, \"bases\": {}, \"more\": 1}", "unknown field `more`"),
            // a file is called after it, and would lie elsewhere
            (
                "{\"version\": 1, \"bases\": {\"a\": {\"url\": \"https://example.org/a\", \"sha256\": \"../a\"}}}",
                "a SHA-256 is 64 hexadecimal digits",
            ),
        ] {
            fs::write(pins.path(), text).unwrap();
            for error in [pins.get("a").unwrap_err(), pins.set("a", &pin(1)).unwrap_err()] {
                let error = format!("{error:#}");
                assert!(
                    error.contains("(removed, it is written anew)") && error.contains(words),
                    "{error}"
                );
            }
            assert_eq!(fs::read_to_string(pins.path()).unwrap(), text);
        }
    }
}
