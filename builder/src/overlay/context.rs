//! What a template knows: the device as it is meant.

use imgbuild_schema::profile::{EthernetAddress, Security};
use imgbuild_schema::spec::{AccessSpec, DeviceSpec, EthernetSpec, WifiNetworkSpec, WifiSpec};
use minijinja::{Value, context};

use crate::password;

/// The names that overlays' templates may use. Some of the values are secrets.
pub fn context(spec: &DeviceSpec) -> Value {
    context! {
        device => device(spec),
        network => context! { wifi => spec.wifi.as_ref().map(wifi), ethernet => ethernet(&spec.ethernet) },
        access => spec.access.as_ref().map(|access| self::access(access, spec)),
        sensors => context! { i2c => spec.card.sensors.iter().any(|sensor| !sensor.driver.i2c().is_empty()) },
        agent => context! { profile => spec.card_profile() },
    }
}

fn device(spec: &DeviceSpec) -> Value {
    context! {
        id => spec.card.device.id.as_str(),
        model => spec.model.name(),
        hostname => spec.hostname.as_str(),
        hostname_label => spec.hostname.label(),
        timezone => spec.timezone.as_str(),
        locale => spec.locale.as_str(),
        // every system has the C locale; the others are made on the device
        generate_locale => !spec.locale.as_str().starts_with("C."),
        keyboard => spec.keyboard.as_str(),
    }
}

fn wifi(wifi: &WifiSpec) -> Value {
    let count = wifi.networks.len();
    let networks = wifi.networks.iter().enumerate();
    let networks: Vec<Value> =
        networks.map(|(index, network)| wifi_network(network, count - index)).collect();
    context! { country => wifi.country.as_str(), networks => networks }
}

/// The higher its priority, the sooner a network is joined.
fn wifi_network(network: &WifiNetworkSpec, priority: usize) -> Value {
    let passphrase = network.passphrase.as_ref();
    let psk = match (network.security, passphrase) {
        (Security::Wpa2, Some(passphrase)) => {
            Some(password::wpa_key(&network.ssid, passphrase).expose().to_owned())
        }
        _ => None,
    };
    context! {
        ssid => network.ssid.as_str(),
        security => match network.security {
            Security::Wpa2 => "wpa2",
            Security::Wpa3 => "wpa3",
            Security::Open => "open",
        },
        psk => psk,
        passphrase => passphrase.map(|passphrase| passphrase.expose().to_owned()),
        hidden => network.hidden,
        priority => priority,
    }
}

fn ethernet(ethernet: &EthernetSpec) -> Value {
    let address = match ethernet.address {
        EthernetAddress::Dhcp => None,
        EthernetAddress::Static(address) => Some(address.to_string()),
    };
    let dns: Vec<String> = ethernet.dns.iter().map(ToString::to_string).collect();
    context! { address => address, gateway => ethernet.gateway.map(|it| it.to_string()), dns => dns }
}

fn access(access: &AccessSpec, spec: &DeviceSpec) -> Value {
    let hash = access
        .password
        .as_ref()
        .map(|password| password::hash(password, spec.card.device.id.as_str(), &access.user));
    context! {
        user => access.user.as_str(),
        has_password => hash.is_some(),
        password_hash => hash.map_or_else(String::new, |hash| hash.expose().to_owned()),
        ssh_keys => access.ssh_keys.clone(),
    }
}
