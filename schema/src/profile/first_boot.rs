use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the system on the card is told what it is: names, accounts, networks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum FirstBoot {
    /// Everything is written in place; the first start grows the root file system, makes SSH host keys and generates the locale.
    #[default]
    #[serde(rename = "direct")]
    Direct,
    /// By files on the boot partition that the base's cloud-init reads at the first start.
    #[serde(rename = "cloud-init")]
    CloudInit,
}
