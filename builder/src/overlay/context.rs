//! What a template knows: the device as it is meant.

use std::net::IpAddr;

use imgbuild_schema::profile::{EthernetAddress, FirstBoot, Security};
use imgbuild_schema::spec::{AccessSpec, DeviceSpec, EthernetSpec, WifiNetworkSpec, WifiSpec};
use imgbuild_schema::values::Secret;
use minijinja::{Value, context};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::base::facts::Facts;
use crate::choices::Choices;
use crate::password;
use crate::uuid::uuid;

/// The names that overlays' templates may use: the device as it is meant, on a base of which this is known. Some of the
/// values are secrets.
pub fn context(spec: &DeviceSpec, choices: &Choices, facts: Option<&Facts>) -> Value {
    context! {
        base => base(facts),
        first_boot => first_boot(spec),
        device => device(spec),
        network => context! {
            manager => choices.manager.name(),
            wifi => spec.wifi.as_ref().map(|wifi| self::wifi(wifi, spec)),
            ethernet => ethernet(&spec.ethernet, spec),
        },
        access => spec.access.as_ref().map(|access| self::access(access, spec)),
        sensors => context! { i2c => spec.card.sensors.iter().any(|sensor| !sensor.driver.i2c().is_empty()) },
        agent => context! { profile => spec.card_profile() },
    }
}

/// What the base has; nothing is said to be there of one that has not been read.
fn base(facts: Option<&Facts>) -> Value {
    let has = |of: fn(&Facts) -> bool| facts.is_some_and(of);
    context! {
        network_manager => has(|facts| facts.network.network_manager),
        resolved => has(|facts| facts.network.resolved),
        dhcpcd => has(|facts| facts.network.dhcpcd),
        cloud_init => has(|facts| facts.cloud_init),
        wizard => has(|facts| facts.first_boot.wizard),
        resizes_again => has(|facts| facts.first_boot.resizes_again),
        replaces_host_keys => has(|facts| facts.first_boot.replaces_host_keys),
        makes_host_keys => has(|facts| facts.first_boot.makes_host_keys),
        boot_mount => facts.map_or("/boot/firmware", |facts| &facts.boot_mount),
    }
}

/// By which way the settings reach the system; for cloud-init, by which name it knows them from others.
fn first_boot(spec: &DeviceSpec) -> Value {
    match *spec.first_boot {
        FirstBoot::Direct => context! { method => "direct" },
        FirstBoot::CloudInit => {
            context! { method => "cloud-init", instance_id => instance_id(spec) }
        }
    }
}

/// Another for any other settings, and the same for the same: to cloud-init, another one is another device. Of
/// secrets it takes in what takes long to guess, since it lies in the open.
pub(crate) fn instance_id(spec: &DeviceSpec) -> String {
    let wifi = spec.wifi.as_ref().map(|wifi| {
        let networks = wifi.networks.iter().map(|network| {
            let stretched =
                network.passphrase.as_ref().map(|it| password::wpa_key(&network.ssid, it));
            let key = stretched.as_ref().map(Secret::expose);
            let security = security(network.security);
            json!([network.ssid.as_str(), security, network.hidden, key])
        });
        json!([wifi.country.as_str(), networks.collect::<Vec<_>>()])
    });
    let access = spec.access.as_ref().map(|access| {
        let hash = password_hash(access, spec);
        let hash = hash.as_ref().map(Secret::expose);
        json!([access.user.as_str(), hash, access.ssh_keys])
    });
    let EthernetSpec { address, gateway, dns } = &spec.ethernet;
    let settings = json!([
        spec.card.device.id.as_str(),
        spec.hostname.as_str(),
        spec.timezone.as_str(),
        spec.locale.as_str(),
        spec.keyboard,
        wifi,
        access,
        [address.to_string(), format!("{gateway:?}"), format!("{dns:?}")],
    ]);
    let digest = Sha256::digest(settings.to_string());
    format!("imgbuild-{}", uuid(std::array::from_fn(|at| digest[at])))
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

fn wifi(wifi: &WifiSpec, spec: &DeviceSpec) -> Value {
    let networks = wifi.networks.iter().zip(1..);
    let networks: Vec<Value> = networks
        .map(|(network, number)| {
            let id = connection_id(spec, &format!("wifi {}", network.ssid.as_str()));
            let priority = wifi.networks.len() + 1 - number;
            context! { id => id, number => number, priority => priority, ..wifi_network(network) }
        })
        .collect();
    context! { country => wifi.country.as_str(), networks => networks }
}

/// The same for the same device and network, and for no other: `NetworkManager` knows a connection by its UUID.
fn connection_id(spec: &DeviceSpec, name: &str) -> String {
    let digest = Sha256::new()
        .chain_update(spec.card.device.id.as_str())
        .chain_update([0])
        .chain_update(name)
        .finalize();
    uuid(std::array::from_fn(|at| digest[at]))
}

fn wifi_network(network: &WifiNetworkSpec) -> Value {
    let passphrase = network.passphrase.as_ref();
    let psk = match (network.security, passphrase) {
        (Security::Wpa2, Some(passphrase)) => {
            Some(password::wpa_key(&network.ssid, passphrase).expose().to_owned())
        }
        _ => None,
    };
    context! {
        ssid => network.ssid.as_str(),
        security => security(network.security),
        psk => psk,
        passphrase => passphrase.map(|passphrase| passphrase.expose().to_owned()),
        hidden => network.hidden,
    }
}

const fn security(security: Security) -> &'static str {
    match security {
        Security::Wpa2 => "wpa2",
        Security::Wpa3 => "wpa3",
        Security::Open => "open",
    }
}

fn ethernet(ethernet: &EthernetSpec, spec: &DeviceSpec) -> Value {
    let address = match ethernet.address {
        EthernetAddress::Dhcp => None,
        EthernetAddress::Static(address) => Some(address),
    };
    // the two versions of IP are configured apart where NetworkManager is
    let version = |of: fn(&IpAddr) -> bool| {
        let dns: Vec<String> =
            ethernet.dns.iter().filter(|it| of(it)).map(ToString::to_string).collect();
        context! {
            address => address.filter(|it| of(&it.address())).map(|it| it.to_string()),
            gateway => ethernet.gateway.filter(of).map(|it| it.to_string()),
            dns => dns,
        }
    };
    let dns: Vec<String> = ethernet.dns.iter().map(ToString::to_string).collect();
    context! {
        id => connection_id(spec, "ethernet"),
        address => address.map(|it| it.to_string()),
        gateway => ethernet.gateway.map(|it| it.to_string()),
        dns => dns,
        ipv4 => version(IpAddr::is_ipv4),
        ipv6 => version(IpAddr::is_ipv6),
    }
}

fn access(access: &AccessSpec, spec: &DeviceSpec) -> Value {
    let hash = password_hash(access, spec);
    context! {
        user => access.user.as_str(),
        has_password => hash.is_some(),
        password_hash => hash.map_or_else(String::new, |hash| hash.expose().to_owned()),
        ssh_keys => access.ssh_keys.clone(),
    }
}

fn password_hash(access: &AccessSpec, spec: &DeviceSpec) -> Option<Secret> {
    let password = access.password.as_ref()?;
    Some(password::hash(password, spec.card.device.id.as_str(), &access.user))
}
