//! Settings that were changed, kept through restarts: a device that is away from its cloud goes on as
//! it was told.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde_json::{Map, Value};
use tracing::{error, warn};

use crate::files;

/// The file's name in the agent's folder.
pub(super) const FILE: &str = "settings.json";

/// What is kept. A file that cannot be read, or is none of ours, is said, and counts as none.
pub(super) fn read(file: &Path) -> Option<Map<String, Value>> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => {
            warn!(file = %file.display(), %error, "cannot read the settings: the profile's hold");
            return None;
        }
    };
    let settings = serde_json::from_str(&text).ok();
    if settings.is_none() {
        warn!(file = %file.display(), "holds no settings: the profile's hold");
    }
    settings
}

/// Keeps them.
pub(super) fn write(file: &Path, settings: &Value) {
    let folder = file.parent().map_or(Ok(()), fs::create_dir_all);
    let written = folder.and_then(|()| files::replace_durably(file, &format!("{settings}\n")));
    if let Err(error) = written {
        error!(file = %file.display(), %error, "cannot keep the settings: a restart loses them");
    }
}
