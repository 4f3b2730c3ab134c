use std::path::PathBuf;

use super::{Noted, Resolver};
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
) -> Result<card::Cloud, Noted> {
    let Cloud::Mqtt(mqtt) = cloud;
    self::mqtt(mqtt, device, resolver).map(card::Cloud::Mqtt)
}

fn mqtt(mqtt: &Mqtt, device: &Device, resolver: &mut Resolver<'_>) -> Result<card::Mqtt, Noted> {
    let (tls, default_port) = match &*mqtt.tls {
        Tls::Off => (Ok(None), MQTT_PORT),
        Tls::On(settings) => (tls(settings, resolver).map(Some), MQTTS_PORT),
    };
    let password = mqtt
        .password
        .as_ref()
        .map(|source| resolver.line(source).map(|secret| resolver.credential("password", secret)));
    let connect = mqtt.connect.as_ref().map(|connect| self::connect(connect, resolver));
    Ok(card::Mqtt {
        host: (*mqtt.host).clone(),
        port: mqtt.port.as_ref().map_or(default_port, |port| **port),
        client_id: match &mqtt.client_id {
            Some(client_id) => (**client_id).clone(),
            None => device.id.to_string(),
        },
        tls: tls?,
        username: mqtt.username.as_ref().map(|username| (**username).clone()),
        password: password.transpose()?,
        connect: connect.transpose()?,
    })
}

fn tls(settings: &TlsSettings, resolver: &mut Resolver<'_>) -> Result<card::Tls, Noted> {
    let ca = pem(settings.ca.as_ref(), "ca.pem", Holds::Certificate, resolver);
    let certificate =
        pem(settings.certificate.as_ref(), "certificate.pem", Holds::Certificate, resolver);
    let private_key =
        pem(settings.private_key.as_ref(), "private-key.pem", Holds::PrivateKey, resolver);
    let identity = match (certificate?, private_key?) {
        (Some(certificate), Some(private_key)) => Some(card::Identity { certificate, private_key }),
        // one without the other has been reported by the checks
        _ => None,
    };
    Ok(card::Tls { ca: ca?, identity })
}

fn connect(connect: &Connect, resolver: &mut Resolver<'_>) -> Result<card::Connect, Noted> {
    let ca = pem(connect.ca.as_ref(), "connect-ca.pem", Holds::Certificate, resolver)?;
    Ok(card::Connect { address: (*connect.address).clone(), ca })
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

/// Puts a PEM file onto the card and returns its path there; none if the profile gives none.
fn pem(
    source: Option<&Sp<Source>>,
    name: &'static str,
    holds: Holds,
    resolver: &mut Resolver<'_>,
) -> Result<Option<PathBuf>, Noted> {
    let Some(source) = source else { return Ok(None) };
    let text = resolver.text(source)?;
    if !holds.begins(text.expose()) {
        let what = holds.name();
        return Err(resolver.note(
            Problem::new(Code::BadCertificate, source.span(), format!("there is no {what} in it"))
                .label(format!("should be a {what} in PEM form"))
                .help(match holds {
                    Holds::Certificate => "such a file begins with `-----BEGIN CERTIFICATE-----`",
                    Holds::PrivateKey => {
                        "such a file begins with `-----BEGIN PRIVATE KEY-----`; one with a passphrase cannot be used"
                    }
                }),
        ));
    }
    Ok(Some(resolver.credential(name, text)))
}
