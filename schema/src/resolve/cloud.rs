use std::path::PathBuf;

use super::{Noted, Resolver, not_yet};
use crate::Sp;
use crate::card;
use crate::profile::{
    AwsIot, AzureIotHub, Cloud, Connect, Device, GoogleIotCore, HubAuth, Mqtt, SasKey, Shadow,
    Source, Tls, TlsSettings,
};

/// The ports of MQTT with and without TLS, as registered with IANA.
const MQTTS_PORT: u16 = 8883;
const MQTT_PORT: u16 = 1883;

pub(super) fn resolve(
    cloud: &Sp<Cloud>,
    device: &Device,
    resolver: &mut Resolver<'_>,
) -> Result<card::Cloud, Noted> {
    for what in unbuilt(cloud) {
        resolver.not_yet.push(not_yet::problem(cloud.span(), &what));
    }
    match &**cloud {
        Cloud::AwsIot(aws) => Ok(card::Cloud::AwsIot(self::aws(aws, device, resolver))),
        Cloud::AzureIotHub(azure) => {
            hub(azure, device, resolver).map(card::Cloud::AzureIotHub).ok_or(Noted)
        }
        Cloud::GoogleIotCore(google) => {
            Ok(card::Cloud::GoogleIotCore(self::google(google, device, resolver)))
        }
        Cloud::Mqtt(mqtt) => Ok(card::Cloud::Mqtt(self::mqtt(mqtt, device, resolver))),
        Cloud::AzureEventHubs(_) | Cloud::GooglePubsub(_) => Err(Noted),
    }
}

/// What the cloud has and the agent does not do yet.
fn unbuilt(cloud: &Cloud) -> Vec<String> {
    let found = match cloud {
        Cloud::AwsIot(aws) => vec![aws.jobs.then_some("jobs")],
        Cloud::AzureIotHub(azure) => {
            let group = matches!(&*azure.auth, HubAuth::Sas(SasKey { group_key: Some(_), .. }));
            let dps = azure.dps.is_some() && !group;
            vec![
                group.then_some("the key of a group"),
                dps.then_some("the provisioning service of Azure"),
            ]
        }
        Cloud::AzureEventHubs(_) | Cloud::GooglePubsub(_) => {
            return vec![format!("the cloud {}", cloud.name())];
        }
        Cloud::GoogleIotCore(_) | Cloud::Mqtt(_) => Vec::new(),
    };
    found.into_iter().flatten().map(str::to_owned).collect()
}

fn aws(aws: &AwsIot, device: &Device, resolver: &mut Resolver<'_>) -> card::AwsIot {
    let mut credential = |name, source: &Sp<Source>| resolver.credential(name, source.text.clone());
    card::AwsIot {
        endpoint: aws.endpoint.to_string(),
        port: aws.port.as_ref().map_or(MQTTS_PORT, |port| **port),
        thing: aws.thing.as_ref().map_or_else(|| device.id.to_string(), |thing| thing.to_string()),
        ca: aws.ca.as_ref().map(|ca| credential("ca.pem", ca)),
        identity: card::Identity {
            certificate: credential("certificate.pem", &aws.certificate),
            private_key: credential("private-key.pem", &aws.private_key),
        },
        shadow: match &*aws.shadow {
            Shadow::None => None,
            Shadow::Classic => Some(card::Shadow::Classic),
            Shadow::Named(name) => Some(card::Shadow::Named(name.clone())),
        },
        connect: aws.connect.as_ref().map(|connect| self::connect(connect, resolver)),
    }
}

/// None: there is no key or no hub, which the checks have said, or it cannot be built yet.
fn hub(
    azure: &AzureIotHub,
    device: &Device,
    resolver: &mut Resolver<'_>,
) -> Option<card::AzureIotHub> {
    let mut credential = |name, source: &Sp<Source>| resolver.credential(name, source.text.clone());
    let auth = match &*azure.auth {
        HubAuth::Sas(sas) => {
            card::HubAuth::Sas(card::HubKey::new(credential("sas-key", sas.key.as_ref()?)))
        }
        HubAuth::X509(x509) => card::HubAuth::X509(card::Identity {
            certificate: credential("certificate.pem", &x509.certificate),
            private_key: credential("private-key.pem", &x509.private_key),
        }),
    };
    Some(card::AzureIotHub {
        hub: azure.hub.as_ref()?.to_string(),
        device: device.id.to_string(),
        auth,
        ca: azure.ca.as_ref().map(|ca| credential("ca.pem", ca)),
        connect: azure.connect.as_ref().map(|connect| self::connect(connect, resolver)),
    })
}

fn google(
    google: &GoogleIotCore,
    device: &Device,
    resolver: &mut Resolver<'_>,
) -> card::GoogleIotCore {
    let [project, region, registry] =
        [&google.project, &google.region, &google.registry].map(|name| name.as_str());
    let ours = || format!("{region}-mqtt.clearblade.com");
    let device = device.id.as_str();
    card::GoogleIotCore {
        host: google.host.as_ref().map_or_else(ours, |host| host.to_string()),
        port: google.port.as_ref().map_or(MQTTS_PORT, |port| **port),
        project: project.to_owned(),
        device: device.to_owned(),
        client_id: format!(
            "projects/{project}/locations/{region}/registries/{registry}/devices/{device}"
        ),
        algorithm: *google.algorithm,
        private_key: resolver.credential("private-key.pem", google.private_key.text.clone()),
        life: card::GoogleIotCore::default_life(),
        ca: pem(google.ca.as_ref(), "ca.pem", resolver),
        connect: google.connect.as_ref().map(|connect| self::connect(connect, resolver)),
    }
}

fn mqtt(mqtt: &Mqtt, device: &Device, resolver: &mut Resolver<'_>) -> card::Mqtt {
    let (tls, default_port) = match &*mqtt.tls {
        Tls::Off => (None, MQTT_PORT),
        Tls::On(settings) => (Some(tls(settings, resolver)), MQTTS_PORT),
    };
    let password = mqtt
        .password
        .as_ref()
        .map(|password| resolver.credential("password", password.text.line()));
    let connect = mqtt.connect.as_ref().map(|connect| self::connect(connect, resolver));
    card::Mqtt {
        host: mqtt.host.to_string(),
        port: mqtt.port.as_ref().map_or(default_port, |port| **port),
        client_id: match &mqtt.client_id {
            Some(client_id) => client_id.to_string(),
            None => device.id.to_string(),
        },
        tls,
        username: mqtt.username.as_ref().map(|username| (**username).clone()),
        password,
        connect,
    }
}

fn tls(settings: &TlsSettings, resolver: &mut Resolver<'_>) -> card::Tls {
    let ca = pem(settings.ca.as_ref(), "ca.pem", resolver);
    let certificate = pem(settings.certificate.as_ref(), "certificate.pem", resolver);
    let private_key = pem(settings.private_key.as_ref(), "private-key.pem", resolver);
    let identity = match (certificate, private_key) {
        (Some(certificate), Some(private_key)) => Some(card::Identity { certificate, private_key }),
        // one without the other has been reported by the checks
        _ => None,
    };
    card::Tls { ca, identity }
}

fn connect(connect: &Connect, resolver: &mut Resolver<'_>) -> card::Connect {
    let ca = pem(connect.ca.as_ref(), "connect-ca.pem", resolver);
    card::Connect { address: (*connect.address).clone(), ca }
}

/// Puts a PEM file onto the card and returns its path there; none if the profile gives none. What is in it
/// has been checked.
fn pem(
    source: Option<&Sp<Source>>,
    name: &'static str,
    resolver: &mut Resolver<'_>,
) -> Option<PathBuf> {
    source.map(|source| resolver.credential(name, source.text.clone()))
}
