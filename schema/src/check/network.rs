use std::collections::HashMap;
use std::net::IpAddr;

use crate::profile::{Ethernet, EthernetAddress, Network, Security, Wifi, WifiNetwork};
use crate::{Code, Problem, Sp};

pub(super) fn check(network: &Network, problems: &mut Vec<Problem>) {
    if let Some(wifi) = &network.wifi {
        self::wifi(wifi, problems);
    }
    ethernet(&network.ethernet, problems);
}

fn wifi(wifi: &Wifi, problems: &mut Vec<Problem>) {
    if wifi.networks.is_empty() {
        problems.push(
            Problem::new(Code::MissingKey, wifi.networks.span(), "there is no network to join")
                .label("is empty")
                .help("name one, or leave `wifi` out if the radio is to stay off"),
        );
    }
    let mut seen = HashMap::new();
    for network in wifi.networks.iter() {
        key(network, problems);
        if let Some(first) = seen.insert(network.ssid.as_str(), network.ssid.span()) {
            problems.push(
                Problem::new(
                    Code::Duplicate,
                    network.ssid.span(),
                    format!("the network `{}` is named twice", *network.ssid),
                )
                .label("for the second time")
                .related(first, "for the first time")
                .help("keep the one to prefer"),
            );
        }
    }
}

/// Security and key go together, whatever the key is.
fn key(network: &Sp<WifiNetwork>, problems: &mut Vec<Problem>) {
    match (*network.security, &network.psk) {
        (Security::Open, Some(psk)) => problems.push(
            Problem::new(
                Code::WifiKey,
                psk.span(),
                format!("the open network `{}` has a `psk`", *network.ssid),
            )
            .label("would not be used")
            .help("leave out `psk`, or leave out `security: open`"),
        ),
        (Security::Wpa2 | Security::Wpa3, None) => problems.push(
            Problem::new(
                Code::WifiKey,
                network.ssid.span(),
                format!("the network `{}` has no `psk`", *network.ssid),
            )
            .label("cannot be joined without its passphrase")
            .related(network.security.span(), "asks for one")
            .help("add `psk: !secret …`, or `security: open` if it has none"),
        ),
        _ => {}
    }
}

fn ethernet(ethernet: &Ethernet, problems: &mut Vec<Problem>) {
    let EthernetAddress::Static(address) = *ethernet.address else {
        if let Some(gateway) = &ethernet.gateway {
            problems.push(
                Problem::new(
                    Code::Contradiction,
                    gateway.span(),
                    "with `dhcp` the network names the gateway",
                )
                .label("would not be used")
                .related(ethernet.address.span(), "the network names everything")
                .help("leave out `gateway`, or write an `address` such as `192.168.1.20/24`"),
            );
        }
        return;
    };
    if let Some(gateway) = &ethernet.gateway
        && !address.reaches(gateway.get())
    {
        problems.push(
            Problem::new(
                Code::Contradiction,
                gateway.span(),
                format!("the gateway {} is not on the network of {address}", **gateway),
            )
            .label("cannot be reached")
            .related(ethernet.address.span(), "the device's own network")
            .help("the gateway is the router's address on the same network"),
        );
    }
    same_address(address.address(), ethernet, problems);
}

fn same_address(own: IpAddr, ethernet: &Ethernet, problems: &mut Vec<Problem>) {
    if let Some(gateway) = ethernet.gateway.as_ref().filter(|gateway| gateway.get() == own) {
        problems.push(
            Problem::new(
                Code::Contradiction,
                gateway.span(),
                "the device cannot be its own gateway",
            )
            .label("is the device's own address")
            .related(ethernet.address.span(), "here it is")
            .help("the gateway is the router's address"),
        );
    }
}
