//! Puts the parts of a plan together and settles who owns what.

use std::collections::BTreeMap;

use anyhow::{Context, bail, ensure};
use imgbuild_schema::DeviceSpec;
use imgbuild_schema::card::CREDENTIALS_PATH;

use super::accounts::Accounts;
use super::{BaseView, Node, boot_files, check_path, units};
use crate::base::tree::Kind;
use crate::overlay::{Attributes, Content, Rendered, Volume};

/// The most that the files of `/etc/skel` may have together, in bytes: each of them has a few thousand.
const LARGEST_SKELETON: usize = 64 << 20;

/// A plan in the making.
pub(super) struct Composer<'a> {
    pub(super) base: BaseView<'a>,
    pub(super) accounts: Accounts,
    pub(super) entries: BTreeMap<(Volume, String), Entry>,
    pub(super) date: u64,
}

/// What a path is to be, before owners have numbers.
pub(super) struct Entry {
    pub(super) node: Node,
    pub(super) attributes: Attributes,
    /// Do mode and owner stay as they are in the base?
    pub(super) stays: bool,
    pub(super) origin: String,
}

impl<'a> Composer<'a> {
    pub(super) fn new(base: BaseView<'a>, date: u64) -> Self {
        Self { base, accounts: Accounts::default(), entries: BTreeMap::new(), date }
    }

    /// Adds an overlay's own files and links.
    pub(super) fn files(&mut self, overlay: &Rendered) -> anyhow::Result<()> {
        for ((volume, path), content) in &overlay.files {
            self.leaf(*volume, path, content.clone(), &overlay.origin)?;
        }
        for (path, target) in &overlay.manifest.links {
            self.leaf(Volume::Root, path, Content::Link(target.clone()), &overlay.origin)?;
        }
        Ok(())
    }

    /// Adds what only this device has: the agent for its processor, and its credentials.
    pub(super) fn device_files(&mut self, spec: &DeviceSpec) -> anyhow::Result<()> {
        let agent = super::agent(spec, self.base.facts)?;
        self.leaf(Volume::Root, super::AGENT_PATH, Content::HostFile(agent), "agent")?;
        self.folder(CREDENTIALS_PATH, "agent")?;
        for credential in &spec.credentials {
            let path = format!("{CREDENTIALS_PATH}/{}", credential.name);
            let content = Content::Bytes(credential.content.expose().as_bytes().to_vec());
            self.leaf(Volume::Root, &path, content, "credentials")?;
        }
        Ok(())
    }

    /// Adds `config.txt` and `cmdline.txt` as the overlays want them.
    pub(super) fn boot_settings(&mut self, overlays: &[Rendered]) -> anyhow::Result<()> {
        let manifests = || overlays.iter().map(|overlay| &overlay.manifest);
        let lines: Vec<&str> =
            manifests().flat_map(|it| &it.config_txt).map(String::as_str).collect();
        self.boot_file("/config.txt", |text| boot_files::config_txt(text, &lines))?;
        let words: Vec<&str> = manifests().flat_map(|it| &it.cmdline).map(String::as_str).collect();
        let without: Vec<&str> =
            manifests().flat_map(|it| &it.cmdline_without).map(String::as_str).collect();
        self.boot_file("/cmdline.txt", |text| boot_files::cmdline(text, &words, &without))
    }

    /// Edits a file of the boot partition, which every base has.
    fn boot_file(&mut self, path: &str, edit: impl Fn(&str) -> String) -> anyhow::Result<()> {
        let text = self.base.boot.read_text(path)?;
        let text = text.with_context(|| format!("the base's boot partition has no {path}"))?;
        let edited = edit(&text);
        if edited != text {
            let content = Content::Bytes(edited.into_bytes());
            self.leaf(Volume::Boot, path, content, "boot settings")?;
        }
        Ok(())
    }

    /// Adds the account files and the homes of people.
    pub(super) fn accounts(&mut self, overlays: &[Rendered]) -> anyhow::Result<()> {
        self.accounts = Accounts::read(self.base.root, self.date)?;
        self.accounts.apply(overlays)?;
        for (path, text) in self.accounts.changed() {
            let content = Content::Bytes(text.into_bytes());
            let entry = self.leaf(Volume::Root, path, content, "accounts")?;
            // the hashes of passwords are not for everybody: as the base has it, else as Debian does
            entry.stays = true;
            entry.attributes.mode = path.ends_with("shadow").then(|| "0640".to_owned());
        }
        for user in overlays.iter().flat_map(|overlay| &overlay.manifest.users) {
            if !user.system && !self.base.root.exists(&user.home)? {
                self.home(&user.name, &user.home)?;
            }
        }
        Ok(())
    }

    /// A home folder, filled from the base's skeleton.
    fn home(&mut self, user: &str, home: &str) -> anyhow::Result<()> {
        let owned = |mode: &str| Attributes {
            mode: Some(mode.to_owned()),
            owner: Some(user.to_owned()),
            group: Some(user.to_owned()),
        };
        self.folder(home, "accounts")?.attributes = owned("0700");
        let mut length = 0;
        for name in self.base.root.list("/etc/skel")? {
            let Some(content) = self.base.root.read(&format!("/etc/skel/{name}"))? else {
                continue;
            };
            length += content.len();
            ensure!(
                length <= LARGEST_SKELETON,
                "the base's /etc/skel is larger than a home's files can be"
            );
            let path = format!("{home}/{name}");
            self.leaf(Volume::Root, &path, Content::Bytes(content), "accounts")?.attributes =
                owned("0644");
        }
        Ok(())
    }

    /// Adds the links by which systemd knows what to start.
    pub(super) fn units(&mut self, overlays: &[Rendered]) -> anyhow::Result<()> {
        let wanted = |of: fn(&Rendered) -> &Vec<String>| {
            overlays.iter().flat_map(move |overlay| {
                of(overlay).iter().map(|unit| (unit.as_str(), overlay.origin.as_str()))
            })
        };
        let masked: Vec<_> = wanted(|overlay| &overlay.manifest.units.mask).collect();
        let enabled: Vec<_> = wanted(|overlay| &overlay.manifest.units.enable).collect();
        let links = units::links(&enabled, &masked, &|path| self.text(path))?;
        for (path, target, origin) in links {
            let there = self.base.root.metadata(&path)?.map(|metadata| metadata.kind);
            let already =
                self.entries.get(&(Volume::Root, path.clone())).map(|entry| entry.node.clone());
            let node = Node::Leaf(Content::Link(target.clone()));
            if there != Some(Kind::Link(target.clone())) && already.as_ref() != Some(&node) {
                self.leaf(Volume::Root, &path, Content::Link(target), &origin)?;
            }
        }
        Ok(())
    }

    /// A text file as it will be on the card.
    fn text(&self, path: &str) -> anyhow::Result<Option<String>> {
        match self.entries.get(&(Volume::Root, path.to_owned())).map(|entry| &entry.node) {
            Some(Node::Leaf(Content::Bytes(bytes))) => {
                Ok(Some(String::from_utf8_lossy(bytes).into_owned()))
            }
            Some(Node::Leaf(Content::HostFile(file))) => Ok(Some(
                std::fs::read_to_string(file)
                    .with_context(|| format!("reading {}", file.display()))?,
            )),
            Some(_) => Ok(None),
            None => self.base.root.read_text(path),
        }
    }

    /// Adds a file or a link; one path has one writer.
    fn leaf(
        &mut self,
        volume: Volume,
        path: &str,
        content: Content,
        origin: &str,
    ) -> anyhow::Result<&mut Entry> {
        check_path(path, origin)?;
        if let Some(other) = self.entries.get(&(volume, path.to_owned())) {
            bail!("{path} is written twice: by {} and by {origin}", other.origin);
        }
        let entry = Entry {
            node: Node::Leaf(content),
            attributes: Attributes::default(),
            stays: false,
            origin: origin.to_owned(),
        };
        Ok(self.entries.entry((volume, path.to_owned())).or_insert(entry))
    }

    fn folder(&mut self, path: &str, origin: &str) -> anyhow::Result<&mut Entry> {
        check_path(path, origin)?;
        let key = (Volume::Root, path.to_owned());
        Ok(self.entries.entry(key).or_insert_with(|| Entry::folder(origin)))
    }
}

impl Entry {
    pub(super) fn folder(origin: &str) -> Self {
        let attributes = Attributes::default();
        Self { node: Node::Folder, attributes, stays: false, origin: origin.to_owned() }
    }
}
