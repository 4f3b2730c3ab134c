use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, bail, ensure};

use super::{Content, Overlay, Source, Volume};

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/overlays.rs"));
}

/// The manifest's name in an overlay.
const MANIFEST: &str = "overlay.yaml";

/// The overlays that the program carries, by name.
pub fn built_in() -> Vec<Overlay> {
    let mut overlays: BTreeMap<&str, Overlay> = BTreeMap::new();
    for (path, content) in embedded::FILES {
        // beside the overlays' folders there is only a page to read
        let Some((name, path)) = path.split_once('/') else { continue };
        let overlay = overlays.entry(name).or_insert_with(|| Overlay {
            origin: format!("overlay {name}"),
            manifest: String::new(),
            files: Vec::new(),
        });
        if path == MANIFEST {
            overlay.manifest = String::from_utf8_lossy(content).into_owned();
        } else {
            let content = Content::Bytes(content.to_vec());
            overlay.files.push(Source { path: path.to_owned(), content });
        }
    }
    overlays.into_values().collect()
}

/// An overlay of the user's own.
pub fn from_folder(folder: &Path) -> anyhow::Result<Overlay> {
    ensure!(folder.is_dir(), "{} is not a folder", folder.display());
    let mut overlay = Overlay {
        origin: folder.display().to_string(),
        manifest: String::new(),
        files: Vec::new(),
    };
    for name in names(folder)? {
        let path = folder.join(&name);
        match name.as_str() {
            MANIFEST => {
                overlay.manifest = fs::read_to_string(&path)
                    .with_context(|| format!("reading {}", path.display()))?;
            }
            "rootfs" | "bootfs" => collect(&path, &name, &mut overlay.files)?,
            _ if name.starts_with('.') || name.starts_with("README") => {}
            _ => bail!(
                "{} does not belong into an overlay; it has {MANIFEST}, {} and {}",
                path.display(),
                Volume::Root.folder(),
                Volume::Boot.folder()
            ),
        }
    }
    Ok(overlay)
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<Source>) -> anyhow::Result<()> {
    for name in names(folder)? {
        let host = folder.join(&name);
        let path = format!("{prefix}/{name}");
        let kind = fs::symlink_metadata(&host)
            .with_context(|| format!("looking at {}", host.display()))?
            .file_type();
        let content = if kind.is_dir() {
            collect(&host, &path, files)?;
            continue;
        } else if kind.is_symlink() {
            let target = fs::read_link(&host)?;
            Content::Link(target.to_str().context("a link's target is not UTF-8")?.to_owned())
        } else if !kind.is_file() {
            bail!("{} is neither a file nor a folder nor a link", host.display());
        } else if is_template(&name) {
            Content::Bytes(fs::read(&host).with_context(|| format!("reading {}", host.display()))?)
        } else {
            Content::HostFile(host)
        };
        files.push(Source { path, content });
    }
    Ok(())
}

fn names(folder: &Path) -> anyhow::Result<Vec<String>> {
    let reading = || format!("reading the folder {}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(reading)? {
        let name = entry.with_context(reading)?.file_name();
        let Ok(name) = name.into_string() else {
            bail!("{} holds a name that is not UTF-8", folder.display());
        };
        names.push(name);
    }
    names.sort();
    Ok(names)
}

/// Is a file of this name filled in, rather than taken as it is?
pub(super) fn is_template(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "j2")
}
