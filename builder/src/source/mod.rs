//! Where the image to start from comes from, whatever way a profile names it.
//!
//! ```text
//! debian-…     made here, once                     base::cache
//! raspios-…    list ─► pins ─► fetch ─► unpack ─►  store
//! {url: …}             pins ─► fetch ─► unpack ─►  store
//! {file: …}                             unpack ─►  store, or as it is
//! ```
//!
//! What a name or an address stood for when it was first built from is in `imgbuild.lock` beside the profile from
//! then on ([`pins`]): the next build takes the same, here or elsewhere, until `imgbuild base update`.

pub mod card;
mod list;
pub mod pins;
mod record;
pub mod room;
pub mod store;
mod unpacked;

use std::path::Path;

use anyhow::{Context, bail, ensure};
use imgbuild_schema::profile::{self, NamedBase, ReleasedBase};
use imgbuild_schema::values::Release;

use crate::base::Base;
use crate::base::cache::Bases;
use crate::base::recipe::Recipe;
use crate::fault::Lacking;
use crate::fetch::{self, Patience};
use crate::progress::Watch;
use crate::unpack::{self, Format};
use list::Listed;
use pins::{Pin, Pins};
use record::{From, Known, Record};
use store::Store;

/// The list of images that Raspberry Pi publishes.
pub const OFFICIAL_LIST: &str = "https://downloads.raspberrypi.com/os_list_imagingutility_v4.json";

/// How bases may be looked for.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// Take nothing but what `imgbuild.lock` pins.
    pub locked: bool,
    /// Never use the network.
    pub offline: bool,
    /// The list of images: an address, or a file.
    pub list: &'a str,
    /// Who is told how it goes.
    pub watch: &'a dyn Watch,
}

impl std::fmt::Debug for Sources<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sources").field("list", &self.list).finish_non_exhaustive()
    }
}

/// What a pin was before and is now.
#[derive(Clone, Debug)]
pub struct Moved {
    /// The base, as the profile names it.
    pub base: String,
    /// What it was, if it was pinned.
    pub before: Option<Pin>,
    /// What it is.
    pub now: Pin,
}

impl Sources<'_> {
    /// The image that a profile names. `pins` are those beside the profile; without any, nothing is pinned. A path
    /// of a file is taken as it stands.
    pub fn base(&self, wanted: &profile::Base, pins: Option<&Pins>) -> anyhow::Result<Base> {
        match wanted {
            profile::Base::Named(base) if !base.is_published() => self.made(base.name()),
            profile::Base::File(file) => {
                self.file(&file.file, file.sha256.as_ref().map(|it| it.as_str()))
            }
            _ => self.pinned(wanted, pins),
        }
    }

    /// Looks anew at what a base stands for, and pins that. None for those that are not pinned.
    pub fn update(&self, wanted: &profile::Base, pins: &Pins) -> anyhow::Result<Option<Moved>> {
        if matches!(wanted, profile::Base::File(_)) || Recipe::of(&wanted.to_string()).is_some() {
            return Ok(None);
        }
        let base = key(wanted);
        let before = pins.get(&base)?;
        let (now, _) = self.resolve(wanted)?;
        pins.set(&base, &now)?;
        Ok(Some(Moved { base, before, now }))
    }

    /// A base that is made on this machine.
    fn made(&self, name: &str) -> anyhow::Result<Base> {
        let bases = Bases::of_user()?;
        if self.offline && bases.path(name).is_some_and(|path| !path.exists()) {
            return Err(Lacking(format!(
                "the base {name} has not been made yet, which takes the network; make it with `imgbuild base fetch {name}`"
            ))
            .into());
        }
        bases.ensure(name, &|line| self.watch.line(line))
    }

    /// An image file: as it is, or unpacked.
    fn file(&self, path: &Path, wanted: Option<&str>) -> anyhow::Result<Base> {
        let read = || {
            let file = unpack::file(path)?;
            let is_packed = unpack::format(&file)? != Format::Plain;
            anyhow::Ok((file, is_packed))
        };
        let (file, is_packed) =
            read().with_context(|| format!("reading the image {}", path.display()))?;
        if !is_packed && wanted.is_none() {
            return Base::of(file, path);
        }
        let sha256 = store::hash(&file, path, self.watch)?;
        if let Some(wanted) = wanted {
            ensure!(
                sha256 == wanted,
                "{} is not the file that is wanted: its SHA-256 is {sha256}, and the profile asks for {wanted}",
                path.display()
            );
        }
        if !is_packed {
            return Base::of(file, path);
        }
        let known = Known { sha256: Some(&sha256), ..Known::default() };
        let store = Store::beside(&Bases::of_user()?);
        Ok(store.ensure(&known, From::File(path), self.watch)?.1)
    }

    /// A base that is downloaded: what is pinned, or what it stands for today, which is pinned then.
    fn pinned(&self, wanted: &profile::Base, pins: Option<&Pins>) -> anyhow::Result<Base> {
        let base = key(wanted);
        let pin = pins.map(|pins| pins.get(&base)).transpose()?.flatten();
        let given = match wanted {
            profile::Base::Url(url) => Some(url.sha256.as_str()),
            _ => None,
        };
        let shown =
            pins.map_or_else(|| "imgbuild.lock".into(), |pins| pins.path().display().to_string());
        if let Some(pin) = &pin
            && given.is_none_or(|given| given == pin.sha256)
        {
            let url = match wanted {
                profile::Base::Url(url) => url.url.as_str(),
                _ => &pin.url,
            };
            let fetched = self.fetch(url, &pin.known());
            return fetched.map(|(_, base)| base).with_context(|| {
                format!("getting {base} as {shown} pins it (`imgbuild base update` moves the pin)")
            });
        }
        if self.locked {
            let why = if pin.is_some() { "pins another file for it" } else { "does not pin it" };
            bail!(
                "the base {base} is not taken: {shown} {why}, and nothing else may be used; `imgbuild base update` pins it"
            );
        }
        let (pin, image) = self.resolve(wanted)?;
        if let Some(pins) = pins {
            pins.set(&base, &pin)?;
        }
        Ok(image)
    }

    /// What a base stands for today, and its image.
    fn resolve(&self, wanted: &profile::Base) -> anyhow::Result<(Pin, Base)> {
        match wanted {
            profile::Base::Url(url) => {
                let known = Known { sha256: Some(url.sha256.as_str()), ..Known::default() };
                let (record, base) = self.fetch(url.url.as_str(), &known)?;
                Ok((pin(fetch::shown(url.url.as_str()), record, None), base))
            }
            profile::Base::Named(base) => self.published(*base, None),
            profile::Base::Released(ReleasedBase { base, release }) => {
                self.published(*base, Some(release))
            }
            profile::Base::File(file) => bail!("{} is a file", file.file.display()),
        }
    }

    fn published(&self, base: NamedBase, release: Option<&Release>) -> anyhow::Result<(Pin, Base)> {
        let name = base.name();
        let address = self.list.contains("://");
        if self.offline && address {
            return Err(Lacking(format!(
                "what {name} stands for is not pinned, and the network is not to be used; `imgbuild base fetch PROFILE` pins it and fetches it"
            ))
            .into());
        }
        let shown = fetch::shown(self.list);
        let text = if address {
            fetch::text(self.list, list::MOST_BYTES, Patience::default())?
        } else {
            std::fs::read_to_string(self.list)
                .with_context(|| format!("reading the list of images {shown}"))?
        };
        let listed = list::find(&text, base, release)
            .with_context(|| format!("looking for {name} in the list of images {shown}"))?;
        let (record, image) = self.fetch(&listed.url, &listed.known())?;
        self.watch.line(&format!("{name} is the one of {}", listed.release_date));
        Ok((pin(listed.url.clone(), record, Some(listed)), image))
    }

    fn fetch(&self, url: &str, known: &Known<'_>) -> anyhow::Result<(Record, Base)> {
        let store = Store::beside(&Bases::of_user()?);
        store.ensure(known, From::Url { url, offline: self.offline }, self.watch)
    }
}

impl Pin {
    fn known(&self) -> Known<'_> {
        Known {
            sha256: Some(&self.sha256),
            size: Some(self.size),
            extract_sha256: Some(&self.extract_sha256),
            extract_size: Some(self.extract_size),
        }
    }
}

impl Listed {
    fn known(&self) -> Known<'_> {
        Known {
            sha256: self.sha256.as_deref(),
            size: self.size,
            extract_sha256: self.extract_sha256.as_deref(),
            extract_size: self.extract_size,
        }
    }
}

fn pin(url: String, record: Record, listed: Option<Listed>) -> Pin {
    let (release_date, init_format) =
        listed.map_or((None, None), |listed| (Some(listed.release_date), listed.init_format));
    let Record { sha256, size, extract_sha256, extract_size, .. } = record;
    Pin { url, sha256, size, extract_sha256, extract_size, release_date, init_format }
}

/// What a base is called in `imgbuild.lock`.
fn key(wanted: &profile::Base) -> String {
    fetch::shown(&wanted.to_string())
}
