use std::collections::BTreeMap;

use anyhow::{Context, bail};
use imgbuild_schema::report::Report;
use imgbuild_schema::template::{self, TemplateError};
use imgbuild_schema::{Code, FileId, Problem, Span, yaml};
use minijinja::{Value, context};

use super::folder::is_template;
use super::{Attributes, Content, Manifest, Overlay, Units, User, Volume};
use crate::fault::Refused;

/// An overlay filled in for one device.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// Where it comes from.
    pub origin: String,
    /// Its manifest, every text filled in, what came out empty left out.
    pub manifest: Manifest,
    /// Its files by volume and path on the device.
    pub files: BTreeMap<(Volume, String), Content>,
}

/// Fills in an overlay: once, or once for each item of a list; not at all if it does not apply to this device.
pub fn render(overlay: &Overlay, context: &Value) -> anyhow::Result<Vec<Rendered>> {
    let manifest = parse(overlay)?;
    let texts = Texts { overlay, context };
    if let Some(condition) = &manifest.when
        && !template::holds(condition, context)
            .map_err(|error| texts.manifest_error(condition, &error))?
    {
        return Ok(Vec::new());
    }
    let Some(list) = &manifest.each else { return Ok(vec![texts.all(manifest)?]) };
    let items =
        template::items(list, context).map_err(|error| texts.manifest_error(list, &error))?;
    let each = items.into_iter().map(|item| {
        let context = &context! { item => item, ..context.clone() };
        Texts { overlay, context }.all(manifest.clone())
    });
    each.collect()
}

fn parse(overlay: &Overlay) -> anyhow::Result<Manifest> {
    if overlay.manifest.trim().is_empty() {
        return Ok(Manifest::default());
    }
    yaml::read(&overlay.manifest).map_err(|problem| {
        let path = format!("{}/overlay.yaml", overlay.origin);
        Refused(Report::of(&path, &overlay.manifest, problem)).into()
    })
}

fn place(path: &str) -> Option<(Volume, &str)> {
    [Volume::Boot, Volume::Root]
        .into_iter()
        .find_map(|volume| Some((volume, path.strip_prefix(volume.folder())?)))
}

/// Fills in the texts of one overlay.
struct Texts<'a> {
    overlay: &'a Overlay,
    context: &'a Value,
}

impl Texts<'_> {
    /// The whole overlay.
    fn all(&self, manifest: Manifest) -> anyhow::Result<Rendered> {
        let mut files = BTreeMap::new();
        for source in &self.overlay.files {
            let (volume, path) = place(&source.path).with_context(|| {
                format!("{}: {} lies nowhere", self.overlay.origin, source.path)
            })?;
            let path = self.fill_in(&format!("/{path}"))?;
            let (path, content) = match (&source.content, path.strip_suffix(".j2")) {
                (Content::Bytes(template), Some(path)) if is_template(&source.path) => {
                    (path.to_owned(), self.file(&source.path, template)?)
                }
                (content, _) => (path, content.clone()),
            };
            files.insert((volume, path), content);
        }
        let manifest = self.manifest(manifest)?;
        Ok(Rendered { origin: self.overlay.origin.clone(), manifest, files })
    }

    fn manifest(&self, manifest: Manifest) -> anyhow::Result<Manifest> {
        let fill_in_pairs = |pairs: BTreeMap<String, String>| {
            let pairs =
                pairs.iter().map(|(key, value)| Ok((self.fill_in(key)?, self.fill_in(value)?)));
            pairs.collect::<anyhow::Result<BTreeMap<_, _>>>()
        };
        let attributes = manifest
            .attributes
            .iter()
            .map(|(path, attributes)| Ok((self.fill_in(path)?, self.attributes(attributes)?)));
        Ok(Manifest {
            when: None,
            each: None,
            units: Units {
                enable: self.list(&manifest.units.enable)?,
                mask: self.list(&manifest.units.mask)?,
            },
            config_txt: self.list(&manifest.config_txt)?,
            cmdline: self.list(&manifest.cmdline)?,
            cmdline_without: self.list(&manifest.cmdline_without)?,
            groups: self.list(&manifest.groups)?,
            users: manifest.users.iter().map(|user| self.user(user)).collect::<Result<_, _>>()?,
            lock_accounts: manifest.lock_accounts,
            attributes: attributes.collect::<anyhow::Result<_>>()?,
            links: fill_in_pairs(manifest.links)?,
        })
    }

    fn user(&self, user: &User) -> anyhow::Result<User> {
        Ok(User {
            name: self.fill_in(&user.name)?,
            system: user.system,
            home: self.fill_in(&user.home)?,
            shell: self.fill_in(&user.shell)?,
            groups: self.list(&user.groups)?,
            password: self.fill_in(&user.password)?,
        })
    }

    fn attributes(&self, attributes: &Attributes) -> anyhow::Result<Attributes> {
        let optional =
            |text: &Option<String>| text.as_deref().map(|text| self.fill_in(text)).transpose();
        Ok(Attributes {
            mode: optional(&attributes.mode)?,
            owner: optional(&attributes.owner)?,
            group: optional(&attributes.group)?,
        })
    }

    /// A list, without what comes out empty.
    fn list(&self, texts: &[String]) -> anyhow::Result<Vec<String>> {
        let texts = texts.iter().map(|text| self.fill_in(text));
        Ok(texts
            .collect::<anyhow::Result<Vec<_>>>()?
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect())
    }

    /// A text of the manifest, or a path.
    fn fill_in(&self, text: &str) -> anyhow::Result<String> {
        if !text.contains('{') {
            return Ok(text.to_owned());
        }
        template::render(text, self.context).map_err(|error| self.manifest_error(text, &error))
    }

    fn file(&self, path: &str, template: &[u8]) -> anyhow::Result<Content> {
        let path = format!("{}/{path}", self.overlay.origin);
        let Ok(template) = std::str::from_utf8(template) else {
            bail!("{path} is a template and not UTF-8");
        };
        let text = template::render(template, self.context)
            .map_err(|error| refusal(&path, template, &error))?;
        Ok(Content::Bytes(text.into_bytes()))
    }

    fn manifest_error(&self, text: &str, error: &TemplateError) -> anyhow::Error {
        refusal(&format!("{}: `{text}`", self.overlay.origin), text, error)
    }
}

/// Shows where in a template the mistake lies.
fn refusal(path: &str, template: &str, error: &TemplateError) -> anyhow::Error {
    let span = error.range.clone().map(|range| Span {
        file: FileId::default(),
        start: range.start,
        end: range.end,
    });
    let problem = Problem::new(Code::BadTemplate, span, error.to_string())
        .label("here")
        .help("a template knows `device`, `network`, `access`, `sensors`, `agent`, `base` and `first_boot`");
    Refused(Report::of(path, template, problem)).into()
}
