//! What is meant: a device with everything looked up, filled in and checked.

use std::net::IpAddr;
use std::path::PathBuf;

use crate::card::CardProfile;
use crate::profile::{Backend, Base, EthernetAddress, FirstBoot, Model, Security};
use crate::values::{Country, Hostname, Locale, Passphrase, Secret, Ssid, Timezone, UserName};
use crate::{Sp, yaml};

/// One device, resolved. What can only be held against the base image keeps its place in the profile.
#[derive(Clone, Debug)]
pub struct DeviceSpec {
    /// Which Raspberry Pi it is.
    pub model: Sp<Model>,
    /// The operating system to start from.
    pub base: Sp<Base>,
    /// How the system is told what follows.
    pub first_boot: Sp<FirstBoot>,
    /// Its name on the network.
    pub hostname: Hostname,
    /// Its time zone.
    pub timezone: Sp<Timezone>,
    /// Its language.
    pub locale: Sp<Locale>,
    /// Its keyboard's layout.
    pub keyboard: String,
    /// The WiFi networks it may join; none: the radio stays off.
    pub wifi: Option<WifiSpec>,
    /// Its wired network.
    pub ethernet: EthernetSpec,
    /// Who can log in; none: nobody.
    pub access: Option<AccessSpec>,
    /// What the agent is told.
    pub card: CardProfile,
    /// The files that the card profile names.
    pub credentials: Vec<Credential>,
    /// The user's own overlays, relative to the profile.
    pub overlays: Vec<Sp<PathBuf>>,
}

impl DeviceSpec {
    /// The card profile as it lies on the device.
    pub fn card_profile(&self) -> String {
        let yaml = yaml::write(&self.card).expect("a card profile has nothing that YAML lacks");
        format!("# Written by imgbuild. What imgbuild-agent reads at each start.\n{yaml}")
    }
}

/// The WiFi networks a device may join.
#[derive(Clone, Debug)]
pub struct WifiSpec {
    /// The program that is to join networks.
    pub backend: Sp<Backend>,
    /// Whose rules for radio hold.
    pub country: Country,
    /// The networks, the one to prefer first.
    pub networks: Vec<WifiNetworkSpec>,
}

/// One WiFi network.
#[derive(Clone, Debug)]
pub struct WifiNetworkSpec {
    /// Its name.
    pub ssid: Ssid,
    /// How it is secured.
    pub security: Security,
    /// What opens it; none for an open one.
    pub passphrase: Option<Passphrase>,
    /// Does it keep its name to itself?
    pub hidden: bool,
}

/// The wired network.
#[derive(Clone, Debug)]
pub struct EthernetSpec {
    /// Where its address comes from.
    pub address: EthernetAddress,
    /// The router.
    pub gateway: Option<IpAddr>,
    /// The name servers.
    pub dns: Vec<IpAddr>,
}

/// Who can log in.
#[derive(Clone, Debug)]
pub struct AccessSpec {
    /// The user's name.
    pub user: UserName,
    /// The password, in clear or hashed; none: no password opens the account.
    pub password: Option<Secret>,
    /// The SSH keys that open the account, a line each.
    pub ssh_keys: Vec<String>,
}

/// A file of the credentials' folder on the device.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Its name in the folder.
    pub name: &'static str,
    /// What is in it.
    pub content: Secret,
}
