use std::path::PathBuf;

use minijinja::context;

use super::{Noted, Resolver, bad_template, not_yet};
use crate::card;
use crate::profile::{
    AwsIot, AzureIotHub, Cloud, Connect, Device, GoogleIotCore, HubAuth, Mqtt, Profile, SasKey,
    Shadow, Source, Tls, TlsSettings,
};
use crate::template;
use crate::values::Topic;
use crate::{Code, Problem, Sp};

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
        Cloud::Mqtt(mqtt) => self::mqtt(mqtt, device, resolver).map(card::Cloud::Mqtt),
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

fn mqtt(mqtt: &Mqtt, device: &Device, resolver: &mut Resolver<'_>) -> Result<card::Mqtt, Noted> {
    let (tls, default_port) = match &*mqtt.tls {
        Tls::Off => (None, MQTT_PORT),
        Tls::On(settings) => (Some(tls(settings, resolver)), MQTTS_PORT),
    };
    let password = mqtt
        .password
        .as_ref()
        .map(|password| resolver.credential("password", password.text.line()));
    let connect = mqtt.connect.as_ref().map(|connect| self::connect(connect, resolver));
    let mut topic =
        |text: &Option<Sp<String>>| text.as_ref().map(|it| topic(it, device, resolver)).transpose();
    let (status, commands) = (topic(&mqtt.status), topic(&mqtt.commands));
    Ok(card::Mqtt {
        host: mqtt.host.to_string(),
        port: mqtt.port.as_ref().map_or(default_port, |port| **port),
        client_id: match &mqtt.client_id {
            Some(client_id) => client_id.to_string(),
            None => device.id.to_string(),
        },
        tls,
        username: mqtt.username.as_ref().map(|username| (**username).clone()),
        password,
        status: status?,
        commands: commands?,
        connect,
    })
}

/// A topic of the device's own.
fn topic(text: &Sp<String>, device: &Device, resolver: &mut Resolver<'_>) -> Result<Topic, Noted> {
    let context = context! { device => context! { id => device.id.as_str() } };
    let topic = template::fill(text, &context)
        .map_err(|error| resolver.note(bad_template(text, &error, "`device.id`")))?;
    topic.parse().map_err(|refusal| {
        let message = format!("invalid topic `{topic}`: {refusal}");
        resolver.note(Problem::new(Code::Topic, text.span(), message).label("no such topic can be"))
    })
}

/// A device that publishes where it listens takes its own words for commands.
pub(super) fn listens_to_itself(
    profile: &Profile,
    cloud: &card::Cloud,
    sensors: &[card::Sensor],
    resolver: &mut Resolver<'_>,
) {
    let Cloud::Mqtt(Mqtt { commands: Some(written), .. }) = &*profile.cloud else { return };
    let card::Cloud::Mqtt(card::Mqtt { commands: Some(commands), status, .. }) = cloud else {
        return;
    };
    let mut published = sensors.iter().map(|sensor| &sensor.topic).chain(status);
    if published.any(|topic| topic == commands) {
        let message = format!("the device publishes to `{commands}` itself");
        resolver.note(
            Problem::new(Code::Contradiction, written.span(), message)
                .label("it would take its own words for commands")
                .help("choose a topic for commands alone, such as `{{ device.id }}/commands`"),
        );
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
    let alpn = settings.alpn.iter().map(|name| (**name).clone()).collect();
    card::Tls { ca, identity, alpn }
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
