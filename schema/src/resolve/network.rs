use super::Resolver;
use crate::profile::{Network, Security, WifiNetwork};
use crate::spec::{EthernetSpec, WifiNetworkSpec, WifiSpec};
use crate::values::Passphrase;
use crate::{Code, Problem};

/// The outer option: could it be resolved? The inner: is there WiFi?
pub(super) fn wifi(network: &Network, resolver: &mut Resolver<'_>) -> Option<Option<WifiSpec>> {
    let Some(wifi) = &network.wifi else { return Some(None) };
    let networks: Vec<_> =
        wifi.networks.iter().map(|network| wifi_network(network, resolver)).collect();
    let networks = networks.into_iter().collect::<Option<Vec<_>>>()?;
    Some(Some(WifiSpec { country: (*wifi.country).clone(), networks }))
}

fn wifi_network(network: &WifiNetwork, resolver: &mut Resolver<'_>) -> Option<WifiNetworkSpec> {
    let passphrase = match &network.psk {
        None => None,
        Some(psk) => {
            let secret = resolver.line(psk)?;
            let refuse = |message: String| Problem::new(Code::WifiKey, psk.span(), message);
            match Passphrase::try_from(secret) {
                Err(refusal) => {
                    resolver.problems.push(refuse(refusal.to_string()).label("opens no network"));
                    return None;
                }
                Ok(key) if key.is_key() && *network.security == Security::Wpa3 => {
                    let problem = refuse("WPA3 is opened by the passphrase, not by a derived key".into());
                    resolver.problems.push(problem.label("is a key of 64 digits").help(
                        "write the passphrase itself; a derived key opens WPA2 networks only",
                    ));
                    return None;
                }
                Ok(passphrase) => Some(passphrase),
            }
        }
    };
    Some(WifiNetworkSpec {
        ssid: (*network.ssid).clone(),
        security: *network.security,
        passphrase,
        hidden: network.hidden,
    })
}

pub(super) fn ethernet(network: &Network) -> EthernetSpec {
    let ethernet = &network.ethernet;
    EthernetSpec {
        address: *ethernet.address,
        gateway: ethernet.gateway.as_ref().map(|gateway| **gateway),
        dns: ethernet.dns.clone(),
    }
}
