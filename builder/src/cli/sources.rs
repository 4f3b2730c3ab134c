use clap::Args;

use super::output::Output;
use super::progress::Shown;
use crate::source::{OFFICIAL_LIST, Sources};

/// How bases may be looked for: flags that several commands share.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct SourceFlags {
    /// Take no base but what imgbuild.lock beside the profile pins
    #[arg(long, display_order = 800)]
    pub(super) locked: bool,
    /// Never use the network
    #[arg(long, display_order = 801)]
    pub(super) offline: bool,
    /// The list of Raspberry Pi OS images, an address or a file [default: `IMGBUILD_OS_LIST`, or the official one]
    #[arg(long, value_name = "LIST", display_order = 802)]
    pub(super) os_list: Option<String>,
}

impl SourceFlags {
    /// Does something with the sources that the flags ask for.
    pub(super) fn with<T>(&self, output: Output, work: impl FnOnce(&Sources<'_>) -> T) -> T {
        let variable = std::env::var("IMGBUILD_OS_LIST").ok().filter(|list| !list.is_empty());
        let list = self.os_list.clone().or(variable);
        let shown = Shown::new(output);
        work(&Sources {
            locked: self.locked,
            offline: self.offline,
            list: list.as_deref().unwrap_or(OFFICIAL_LIST),
            watch: &shown,
        })
    }
}
