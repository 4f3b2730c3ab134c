//! What systemd is told to start.

use serde::Serialize;

use crate::base::tree::{Kind, Tree};

/// The links below `/etc/systemd/system`.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Units {
    /// Units that are started, sorted.
    pub enabled: Vec<String>,
    /// Units that nobody can start, sorted.
    pub masked: Vec<String>,
}

const FOLDER: &str = "/etc/systemd/system";

impl Units {
    /// Reads them out of a root file system.
    pub(super) fn read(root: &dyn Tree) -> anyhow::Result<Self> {
        let mut units = Self::default();
        for name in root.list(FOLDER)? {
            let path = format!("{FOLDER}/{name}");
            let ending = name.rsplit_once('.').map(|(_, ending)| ending);
            if matches!(ending, Some("wants" | "requires")) {
                units.enabled.extend(root.list(&path)?);
            } else if let Some(Kind::Link(target)) = root.metadata(&path)?.map(|it| it.kind)
                && target == "/dev/null"
            {
                units.masked.push(name);
            }
        }
        units.enabled.sort_unstable();
        units.enabled.dedup();
        Ok(units)
    }
}
