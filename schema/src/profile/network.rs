use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Source;
use crate::Sp;
use crate::values::{Address, Country, InterfaceAddress, InvalidValue, Ssid, serde_as_text};

/// How the device gets on its network.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// The WiFi networks it may join. Left out: the radio stays off.
    #[serde(default)]
    pub wifi: Option<Wifi>,
    /// Its wired network.
    #[serde(default)]
    pub ethernet: Ethernet,
}

/// The WiFi networks the device may join.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wifi {
    /// Where the device is: whose rules for radio hold. Without it the radio must stay off.
    pub country: Sp<Country>,
    /// The program that joins networks. Left out: the base's own.
    #[serde(default)]
    pub backend: Sp<Backend>,
    /// The networks, the one to prefer first.
    #[schemars(length(min = 1))]
    pub networks: Sp<Vec<Sp<WifiNetwork>>>,
}

/// A program that joins WiFi networks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Backend {
    /// The one that the base uses.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// wpa_supplicant.
    #[serde(rename = "wpa_supplicant")]
    WpaSupplicant,
    /// NetworkManager.
    #[serde(rename = "network-manager")]
    NetworkManager,
}

/// One WiFi network.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WifiNetwork {
    /// Its name.
    pub ssid: Sp<Ssid>,
    /// Its passphrase, or its key as 64 hexadecimal digits.
    #[serde(default)]
    pub psk: Option<Sp<Source>>,
    /// How it is secured.
    #[serde(default)]
    pub security: Sp<Security>,
    /// Does it keep its name to itself?
    #[serde(default)]
    pub hidden: bool,
}

/// How a WiFi network is secured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// WPA2 with a passphrase.
    #[default]
    Wpa2,
    /// WPA3 with a passphrase (SAE).
    Wpa3,
    /// Not at all.
    Open,
}

/// The wired network.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ethernet {
    /// `dhcp`, or an address with the length of its network: `192.168.1.20/24`.
    #[serde(default)]
    pub address: Sp<EthernetAddress>,
    /// The router, with an address of your own.
    #[serde(default)]
    pub gateway: Option<Sp<Address>>,
    /// The name servers, with an address of your own.
    #[serde(default)]
    pub dns: Vec<Sp<Address>>,
}

/// How the wired network gets its address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EthernetAddress {
    /// From the network.
    #[default]
    Dhcp,
    /// From the profile.
    Static(InterfaceAddress),
}

impl FromStr for EthernetAddress {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        match text {
            "dhcp" => Ok(Self::Dhcp),
            address => address.parse().map(Self::Static),
        }
    }
}

impl std::fmt::Display for EthernetAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Dhcp => f.write_str("dhcp"),
            Self::Static(address) => address.fmt(f),
        }
    }
}

serde_as_text!(EthernetAddress);
