//! What two images have otherwise, file by file.
//!
//! Contents are compared whole, by their hashes: dates and sizes say too little. What may be a secret is said to
//! differ, and not shown.

mod listing;
mod shown;

use std::collections::BTreeMap;
use std::thread;

use imgbuild_schema::card::PROFILE_PATH;
use serde::Serialize;
use similar::TextDiff;

use crate::base::Base;
use crate::base::tree::{Kind, Tree};
use crate::overlay::Volume;
use crate::secrecy;
use listing::Entry;

/// The longest text of which is shown how it differs.
const LONGEST: u64 = 16 << 10;

/// What one path has otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// `boot` or `root`; none if it is about the image as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition: Option<&'static str>,
    /// The path on its partition, or what of the image it is about.
    pub path: String,
    /// What became of it.
    pub change: Change,
    /// What is there now, or was: as in "file, 0644 0:0, 14 bytes"; what changed, as in "mode 0644 → 0600".
    pub details: Vec<String>,
    /// How a small text differs, as `diff -u` shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What became of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// Only the second image has it.
    Added,
    /// Only the first image has it.
    Removed,
    /// Both have it, and not the same.
    Changed,
}

/// Everything that `new` has otherwise than `old`.
pub fn between(old: &Base, new: &Base) -> anyhow::Result<Vec<Difference>> {
    let mut differences = whole(old, new);
    for volume in [Volume::Boot, Volume::Root] {
        // neither tree can be shared between threads, and each is opened where it is read
        let (before, after) = thread::scope(|scope| {
            let before = scope.spawn(|| listing::of(tree(old, volume)?.as_ref()));
            let after = tree(new, volume).and_then(|tree| listing::of(tree.as_ref()));
            (before.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), after)
        });
        let (before, after) = (before?, after?);
        let (old_tree, new_tree) = (tree(old, volume)?, tree(new, volume)?);
        let contents = |path: &str| -> anyhow::Result<Option<String>> {
            // what the agent reads names the files of its secrets, and has none in it
            let knows_no_secret = path == PROFILE_PATH;
            Ok(match (old_tree.read(path)?, new_tree.read(path)?) {
                (Some(old), Some(new)) => unified(&old, &new, knows_no_secret),
                _ => None,
            })
        };
        let mut paths: Vec<&String> = before.keys().chain(after.keys()).collect();
        paths.sort_unstable();
        paths.dedup();
        for path in paths {
            differences.extend(of_path(volume, path, &before, &after, &contents)?);
        }
    }
    Ok(differences)
}

fn tree(image: &Base, volume: Volume) -> anyhow::Result<Box<dyn Tree>> {
    Ok(match volume {
        Volume::Boot => Box::new(image.boot()?),
        Volume::Root => Box::new(image.root()?),
    })
}

/// What is in no file.
fn whole(old: &Base, new: &Base) -> Vec<Difference> {
    let (old, new) = (&old.facts, &new.facts);
    let rows = [
        ("length", old.length.to_string(), new.length.to_string()),
        ("partition table", old.table.to_string(), new.table.to_string()),
        ("boot partition's PARTUUID", old.boot_part_uuid.clone(), new.boot_part_uuid.clone()),
        ("root partition's PARTUUID", old.root_part_uuid.clone(), new.root_part_uuid.clone()),
        ("root file system", old.root.uuid.clone(), new.root.uuid.clone()),
    ];
    let differing = rows.into_iter().filter(|(_, old, new)| old != new);
    differing
        .map(|(name, old, new)| Difference {
            partition: None,
            path: name.to_owned(),
            change: Change::Changed,
            details: vec![format!("{old} → {new}")],
            text: None,
        })
        .collect()
}

type Listing = BTreeMap<String, Entry>;

fn of_path(
    volume: Volume,
    path: &str,
    before: &Listing,
    after: &Listing,
    contents: &dyn Fn(&str) -> anyhow::Result<Option<String>>,
) -> anyhow::Result<Option<Difference>> {
    let difference = |change, details| Difference {
        partition: Some(volume.name()),
        path: path.to_owned(),
        change,
        details,
        text: None,
    };
    let (old, new) = match (before.get(path), after.get(path)) {
        (Some(old), Some(new)) if old == new => return Ok(None),
        (Some(old), Some(new)) => (old, new),
        (Some(old), None) => return Ok(Some(difference(Change::Removed, vec![old.to_string()]))),
        (None, Some(new)) => return Ok(Some(difference(Change::Added, vec![new.to_string()]))),
        (None, None) => return Ok(None),
    };
    let mut difference = difference(Change::Changed, old.changes(new));
    if old.hash != new.hash && old.kind == Kind::File && new.kind == Kind::File {
        let hidden = secrecy::is_place_of_one(volume, path) || old.is_private() || new.is_private();
        if hidden {
            difference.details.push("its content, which is not shown".to_owned());
        } else {
            let short = old.size.max(new.size) <= LONGEST;
            difference.text = if short { contents(path)? } else { None };
            difference.details.push("its content".to_owned());
        }
    }
    Ok(Some(difference))
}

/// How two texts differ; none if one of them is no text, or may hold a secret.
fn unified(old: &[u8], new: &[u8], knows_no_secret: bool) -> Option<String> {
    let (old, new) = (std::str::from_utf8(old).ok()?, std::str::from_utf8(new).ok()?);
    let hidden = |text: &&str| text.contains('\0') || (!knows_no_secret && secrecy::is_in(text));
    if [old, new].iter().any(hidden) {
        return None;
    }
    Some(TextDiff::from_lines(old, new).unified_diff().context_radius(2).to_string())
}
