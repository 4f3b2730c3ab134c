use super::{Noted, Resolver};
use crate::profile::{Network, Security, Source, WifiNetwork};
use crate::spec::{EthernetSpec, WifiNetworkSpec, WifiSpec};
use crate::values::Passphrase;
use crate::{Code, Problem, Sp};

pub(super) fn wifi(
    network: &Network,
    resolver: &mut Resolver<'_>,
) -> Result<Option<WifiSpec>, Noted> {
    let Some(wifi) = &network.wifi else { return Ok(None) };
    let networks: Vec<_> =
        wifi.networks.iter().map(|network| wifi_network(network, resolver)).collect();
    let networks = networks.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(Some(WifiSpec { backend: wifi.backend.clone(), country: (*wifi.country).clone(), networks }))
}

fn wifi_network(
    network: &WifiNetwork,
    resolver: &mut Resolver<'_>,
) -> Result<WifiNetworkSpec, Noted> {
    let security = *network.security;
    let psk = network.psk.as_ref();
    Ok(WifiNetworkSpec {
        ssid: (*network.ssid).clone(),
        security,
        passphrase: psk.map(|psk| passphrase(psk, security, resolver)).transpose()?,
        hidden: network.hidden,
    })
}

fn passphrase(
    psk: &Sp<Source>,
    security: Security,
    resolver: &mut Resolver<'_>,
) -> Result<Passphrase, Noted> {
    let secret = psk.text.line();
    let problem = |message: String| Problem::new(Code::WifiKey, psk.span(), message);
    let passphrase = Passphrase::try_from(secret)
        .map_err(|refusal| resolver.note(problem(refusal.to_string()).label("opens no network")))?;
    if passphrase.is_key() && security == Security::Wpa3 {
        return Err(resolver.note(
            problem("WPA3 is opened by the passphrase, not by a derived key".into())
                .label("is a key of 64 digits")
                .help("write the passphrase itself; a derived key opens WPA2 networks only"),
        ));
    }
    Ok(passphrase)
}

pub(super) fn ethernet(network: &Network) -> EthernetSpec {
    let ethernet = &network.ethernet;
    EthernetSpec {
        address: *ethernet.address,
        gateway: ethernet.gateway.as_ref().map(|gateway| gateway.get()),
        dns: ethernet.dns.iter().map(|server| server.get()).collect(),
    }
}
