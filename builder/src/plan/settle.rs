//! The end of composing: every folder on the way is there, every owner a number, and it is known whether all of it fits.

use anyhow::{Context, bail};

use super::compose::{Composer, Entry};
use super::{Node, Operation, Plan, room};
use crate::base::tree::{Kind, Metadata, Tree};
use crate::overlay::{Attributes, Content, Rendered, Volume};

impl<'a> Composer<'a> {
    /// The finished plan: every folder on the way there, every owner a number.
    pub(super) fn finish(
        mut self,
        overlays: &[Rendered],
        mut reasons: Vec<String>,
    ) -> anyhow::Result<Plan> {
        self.folders_on_the_way()?;
        for overlay in overlays {
            for (pattern, attributes) in &overlay.manifest.attributes {
                self.attribute(pattern, attributes, &overlay.origin)?;
            }
        }
        let (mut boot, mut root) = (Vec::new(), Vec::new());
        for ((volume, path), entry) in std::mem::take(&mut self.entries) {
            let operation = self.operation(volume, path, entry)?;
            match volume {
                Volume::Boot => boot.push(operation),
                Volume::Root => root.push(operation),
            }
        }
        let grown_root = room::grown_root(&root, self.base.facts)?;
        reasons.extend(grown_root.map(|length| room::reason(length, self.base.facts)));
        Ok(Plan { boot, root, grown_root, date: self.date, reasons })
    }

    fn tree(&self, volume: Volume) -> &'a dyn Tree {
        match volume {
            Volume::Boot => self.base.boot,
            Volume::Root => self.base.root,
        }
    }

    /// Adds the folders that neither the base nor an overlay has, and refuses ways through links.
    fn folders_on_the_way(&mut self) -> anyhow::Result<()> {
        let paths: Vec<_> = self
            .entries
            .iter()
            .map(|((volume, path), entry)| (*volume, path.clone(), entry.origin.clone()))
            .collect();
        for (volume, path, origin) in paths {
            let ancestors =
                path.char_indices().skip(1).filter(|(_, c)| *c == '/').map(|(at, _)| &path[..at]);
            for folder in ancestors {
                match self.tree(volume).metadata(folder)?.map(|metadata| metadata.kind) {
                    Some(Kind::Folder) => {}
                    None => {
                        let key = (volume, folder.to_owned());
                        self.entries.entry(key).or_insert_with(|| Entry::folder(&origin));
                    }
                    Some(Kind::Link(target)) => {
                        bail!(
                            "{origin}: {path} leads through the link {folder} → {target}; write to where it points"
                        )
                    }
                    Some(_) => {
                        bail!("{origin}: {path} cannot be: {folder} is no folder in the base")
                    }
                }
            }
        }
        Ok(())
    }

    fn attribute(
        &mut self,
        pattern: &str,
        attributes: &Attributes,
        origin: &str,
    ) -> anyhow::Result<()> {
        if let Some(folder) = pattern.strip_suffix("/*") {
            for ((volume, path), entry) in &mut self.entries {
                let directly = path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'));
                if *volume == Volume::Root && directly.is_some_and(|name| !name.contains('/')) {
                    entry.attributes = attributes.clone();
                }
            }
            return Ok(());
        }
        match self.entries.get_mut(&(Volume::Root, pattern.to_owned())) {
            Some(entry) => entry.attributes = attributes.clone(),
            None => bail!("{origin}: `attributes` names {pattern}, which no overlay writes"),
        }
        Ok(())
    }

    fn operation(&self, volume: Volume, path: String, entry: Entry) -> anyhow::Result<Operation> {
        let Entry { node, attributes, stays, origin } = entry;
        let there = self.tree(volume).metadata(&path)?;
        let kind = there.as_ref().map(|metadata| &metadata.kind);
        if matches!(node, Node::Leaf(_)) && matches!(kind, Some(Kind::Folder | Kind::Special)) {
            bail!("{origin}: {path} cannot be replaced: it is a folder or a device in the base");
        }
        if let Some(Metadata { mode, uid, gid, .. }) = there.as_ref().filter(|_| stays) {
            let (mode, uid, gid) = (*mode, *uid, *gid);
            return Ok(Operation { replaces: true, path, node, mode, uid, gid, origin });
        }
        let default = match &node {
            Node::Folder => 0o755,
            Node::Leaf(Content::Link(_)) => 0o777,
            Node::Leaf(_) => 0o644,
        };
        let mode = match &attributes.mode {
            None => default,
            Some(text) => u16::from_str_radix(text, 8)
                .ok()
                .filter(|mode| *mode <= 0o7777)
                .with_context(|| format!("{origin}: the mode {text:?} of {path} is not octal"))?,
        };
        let uid = attributes.owner.as_deref().map_or(Ok(0), |name| self.accounts.uid(name));
        let gid = attributes.group.as_deref().map_or(Ok(0), |name| self.accounts.gid(name));
        let of = || format!("{origin}: {path}");
        Ok(Operation {
            replaces: there.is_some(),
            uid: uid.with_context(of)?,
            gid: gid.with_context(of)?,
            path,
            node,
            mode,
            origin,
        })
    }
}
