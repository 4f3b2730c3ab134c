use std::path::PathBuf;

use super::Resolver;
use crate::card;
use crate::profile::{Cloud, Connect, Device, Mqtt, Source, Tls, TlsSettings};
use crate::{Code, Problem, Sp};

/// The ports of MQTT with and without TLS, as registered with IANA.
const MQTTS_PORT: u16 = 8883;
const MQTT_PORT: u16 = 1883;

pub(super) fn resolve(
    cloud: &Cloud,
    device: &Device,
    resolver: &mut Resolver<'_>,
) -> Option<card::Cloud> {
    let Cloud::Mqtt(mqtt) = cloud;
    self::mqtt(mqtt, device, resolver).map(card::Cloud::Mqtt)
}

fn mqtt(mqtt: &Mqtt, device: &Device, resolver: &mut Resolver<'_>) -> Option<card::Mqtt> {
    let (tls, default_port) = match &*mqtt.tls {
        Tls::Off => (Some(None), MQTT_PORT),
        Tls::On(settings) => (tls(settings, resolver).map(Some), MQTTS_PORT),
    };
    let password = match &mqtt.password {
        None => Some(None),
        Some(source) => {
            resolver.line(source).map(|secret| Some(resolver.credential("password", secret)))
        }
    };
    let connect = match &mqtt.connect {
        None => Some(None),
        Some(connect) => self::connect(connect, resolver).map(Some),
    };
    Some(card::Mqtt {
        host: (*mqtt.host).clone(),
        port: mqtt.port.as_ref().map_or(default_port, |port| **port),
        client_id: match &mqtt.client_id {
            Some(client_id) => (**client_id).clone(),
            None => device.id.to_string(),
        },
        tls: tls?,
        username: mqtt.username.as_ref().map(|username| (**username).clone()),
        password: password?,
        connect: connect?,
    })
}

fn tls(settings: &TlsSettings, resolver: &mut Resolver<'_>) -> Option<card::Tls> {
    let ca = pem(settings.ca.as_ref(), "ca.pem", Holds::Certificate, resolver);
    let certificate =
        pem(settings.certificate.as_ref(), "certificate.pem", Holds::Certificate, resolver);
    let private_key =
        pem(settings.private_key.as_ref(), "private-key.pem", Holds::PrivateKey, resolver);
    let identity = match (certificate?, private_key?) {
        (Some(certificate), Some(private_key)) => {
            Some(card::Identity { certificate, private_key })
        }
        _ => None,
    };
    Some(card::Tls { ca: ca?, identity })
}

fn connect(connect: &Connect, resolver: &mut Resolver<'_>) -> Option<card::Connect> {
    let ca = pem(connect.ca.as_ref(), "connect-ca.pem", Holds::Certificate, resolver)?;
    Some(card::Connect { address: (*connect.address).clone(), ca })
}

/// What a PEM file must hold.
#[derive(Clone, Copy)]
enum Holds {
    Certificate,
    PrivateKey,
}

impl Holds {
    fn begins(self, text: &str) -> bool {
        let headers: &[&str] = match self {
            Self::Certificate => &["-----BEGIN CERTIFICATE-----"],
            Self::PrivateKey => &[
                "-----BEGIN PRIVATE KEY-----",
                "-----BEGIN EC PRIVATE KEY-----",
                "-----BEGIN RSA PRIVATE KEY-----",
            ],
        };
        headers.iter().any(|header| text.contains(header))
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::PrivateKey => "private key",
        }
    }
}

/// Puts a PEM file onto the card. The outer option: was it right? The inner: was it given?
fn pem(
    source: Option<&Sp<Source>>,
    name: &'static str,
    holds: Holds,
    resolver: &mut Resolver<'_>,
) -> Option<Option<PathBuf>> {
    let Some(source) = source else { return Some(None) };
    let text = resolver.text(source)?;
    if !holds.begins(text.expose()) {
        let what = holds.name();
        let problem = Problem::new(Code::BadCertificate, source.span(), format!("there is no {what} in it"))
            .label(format!("should be a {what} in PEM form"))
            .help(match holds {
                Holds::Certificate => "such a file begins with `-----BEGIN CERTIFICATE-----`",
                Holds::PrivateKey => {
                    "such a file begins with `-----BEGIN PRIVATE KEY-----`; one with a passphrase cannot be used"
                }
            });
        resolver.problems.push(problem);
        return None;
    }
    Some(Some(resolver.credential(name, text)))
}
