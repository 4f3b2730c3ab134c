//! What the user typed: the profile, each value with its place in the file.
//!
//! Types follow the YAML key for key, and a doc comment here is the key's documentation. Tagged choices
//! are one-key maps, which keeps positions exact.

mod access;
mod base;
mod cloud;
mod device;
mod first_boot;
mod gpio;
mod network;
mod sensor;
mod source;
mod telemetry;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

pub use access::Access;
pub use base::{Base, FileBase, NamedBase, ReleasedBase, UrlBase};
pub use cloud::{
    AwsIot, AzureEventHubs, AzureIotHub, Cloud, Connect, Dps, GoogleIotCore, GooglePubsub, HubAuth,
    HubX509, Mqtt, SasKey, Shadow, Tls, TlsSettings,
};
pub use device::{Architecture, Device, Model};
pub use first_boot::FirstBoot;
pub use gpio::{Button, Input, Led, Level, Output, Pull, Shows};
pub use network::{Backend, Ethernet, EthernetAddress, Network, Security, Wifi, WifiNetwork};
pub use sensor::Sensor;
pub use source::Source;
pub use telemetry::{Payload, Queue, Telemetry, WhenFull};

use crate::Sp;

/// The version of the profile language that this program reads.
pub const VERSION: u32 = 1;

/// One device, as its profile describes it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = something_to_publish)]
pub struct Profile {
    /// The version of the language: `1`.
    #[schemars(extend("const" = VERSION))]
    pub version: Sp<u32>,
    /// Who the device is.
    pub device: Device,
    /// The operating system to start from.
    pub base: Sp<Base>,
    /// How the system is told its names, accounts and networks. With `cloud-init`, for bases that have it
    /// and on which NetworkManager runs the network, the keys of WiFi networks, the passphrase itself for
    /// WPA3, and the hash of the password lie on the boot partition: whoever holds the card can read them, and
    /// so can every program on the device. What the agent is told never lies there.
    #[serde(default)]
    pub first_boot: Sp<FirstBoot>,
    /// How it gets on its network. Left out: Ethernet with DHCP.
    #[serde(default)]
    pub network: Network,
    /// Who can log in. Left out: nobody.
    #[serde(default)]
    pub access: Option<Sp<Access>>,
    /// Where its readings go.
    pub cloud: Sp<Cloud>,
    /// How they get there.
    #[serde(default)]
    pub telemetry: Telemetry,
    /// What it reads.
    #[serde(default)]
    pub sensors: Vec<Sp<Sensor>>,
    /// What people or things do to it.
    #[serde(default)]
    pub inputs: Vec<Sp<Input>>,
    /// What it does to the world.
    #[serde(default)]
    pub outputs: Vec<Sp<Output>>,
    /// Folders of your own, in the form of the built-in overlays, relative to the profile.
    #[serde(default)]
    pub overlays: Vec<Sp<PathBuf>>,
}

/// What the checks say of a profile without sensors and inputs, said to editors.
fn something_to_publish(schema: &mut schemars::Schema) {
    crate::schema::some_item(schema, &["sensors", "inputs"]);
}
