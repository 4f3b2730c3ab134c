//! What the user typed: the profile, each value with its place in the file.
//!
//! Types follow the YAML key for key, and a doc comment here is the key's documentation. Tagged choices
//! are one-key maps, which keeps positions exact.

mod access;
mod base;
mod cloud;
mod device;
mod network;
mod sensor;
mod source;
mod telemetry;

use std::path::PathBuf;

use serde::Deserialize;

pub use access::Access;
pub use base::{Base, FileBase, NamedBase};
pub use cloud::{Cloud, Connect, Mqtt, Tls, TlsSettings};
pub use device::{Architecture, Device, Model};
pub use network::{Ethernet, EthernetAddress, Network, Security, Wifi, WifiNetwork};
pub use sensor::Sensor;
pub use source::Source;
pub use telemetry::Telemetry;

use crate::resolve::{self, Lookup};
use crate::{DeviceSpec, Problem, Sp, check, yaml};

/// The version of the profile language that this program reads.
pub const VERSION: u32 = 1;

/// One device, as its profile describes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The version of the language: `1`.
    pub version: Sp<u32>,
    /// Who the device is.
    pub device: Device,
    /// The operating system to start from.
    pub base: Sp<Base>,
    /// How it gets on its network. Left out: Ethernet with DHCP.
    #[serde(default)]
    pub network: Network,
    /// Who can log in. Left out: nobody.
    #[serde(default)]
    pub access: Option<Sp<Access>>,
    /// Where its readings go.
    pub cloud: Cloud,
    /// How they get there.
    #[serde(default)]
    pub telemetry: Telemetry,
    /// What it reads.
    #[serde(default)]
    pub sensors: Vec<Sp<Sensor>>,
    /// Folders of your own, in the form of the built-in overlays, relative to the profile.
    #[serde(default)]
    pub overlays: Vec<Sp<PathBuf>>,
}

impl Profile {
    /// Reads a profile's text. A profile that cannot be read has one problem: the first.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        yaml::parse(text)
    }

    /// Checks everything and looks up everything. All problems come back at once.
    pub fn resolve(&self, lookup: &dyn Lookup) -> Result<DeviceSpec, Vec<Problem>> {
        let mut problems = check::profile(self);
        let spec = resolve::profile(self, lookup, &mut problems);
        match spec {
            Ok(spec) if problems.is_empty() => Ok(spec),
            _ => {
                problems.sort_by_key(|problem| problem.span);
                Err(problems)
            }
        }
    }
}
