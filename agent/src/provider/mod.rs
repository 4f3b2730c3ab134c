//! What differs from cloud to cloud. A provider is pure: it says how to connect and what the cloud's
//! silence means, and leaves doing to the uplink.

mod aws;
mod azure;
mod dialogue;
mod google;
mod message;
mod plain;

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use imgbuild_schema::card::{Access, Cloud, Delivery};
use imgbuild_schema::values::{Algorithm, Endpoint, QoS, Topic};
use rustls::ClientConfig;

use crate::mqtt::{self, Options};
use crate::tls::Roots;

pub use dialogue::{Dialogue, dialogue};
pub use message::message;

/// A cloud's door, and how it is opened.
#[derive(Debug)]
pub struct Door<'a> {
    /// What every cloud has.
    pub access: Access<'a>,
    /// What is said beside the certificate, if there is one.
    pub login: Login<'a>,
    /// The public authorities that sign the cloud's certificates, where the card names none.
    pub roots: Roots,
    /// The protocols to ask for in the handshake (ALPN), where the port serves several.
    pub alpn: Vec<&'a str>,
    /// Whether the cloud is asked to keep what it has for the device while that is away.
    pub kept: bool,
    /// What the cloud publishes once the device is gone without a word.
    pub will: Option<mqtt::Message>,
    /// What it means when the cloud closes the connection and does not say why.
    pub silence: Silence,
}

/// How a device logs in.
#[derive(Clone, Debug)]
pub enum Login<'a> {
    /// By a name and the password in a file. Neither: the certificate says who it is, or nobody asks.
    User {
        /// The name.
        name: Option<Cow<'a, str>>,
        /// The file with the password.
        password: Option<&'a Path>,
    },
    /// By a name and a JSON Web Token.
    Jwt {
        /// The name.
        name: &'static str,
        /// For whom the token is.
        audience: &'a str,
        /// The file with the key that signs it (PEM).
        key: &'a Path,
        /// How it is signed.
        algorithm: Algorithm,
        /// How long a token is good for.
        life: Duration,
    },
    /// By a name and a shared access signature.
    Sas {
        /// The name.
        name: String,
        /// What is accessed.
        resource: String,
        /// The file with the key, in Base64.
        key: &'a Path,
        /// How long a signature is good for.
        life: Duration,
    },
}

impl Login<'_> {
    /// Nothing is said.
    const NONE: Self = Self::User { name: None, password: None };
}

/// What a cloud that gives no reasons most likely means. None: nothing is known that others would not mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Silence {
    /// When it says that the device is not authorised, and no more.
    pub unauthorised: Option<String>,
    /// When it closes before it has accepted the device.
    pub refused: Option<String>,
    /// When it closes later.
    pub dropped: Option<String>,
}

/// The door of a card's cloud.
pub fn door(cloud: &Cloud) -> Door<'_> {
    let access = cloud.access();
    match cloud {
        Cloud::AwsIot(aws) => aws::door(aws, access),
        Cloud::AzureIotHub(hub) => azure::door(hub, access),
        Cloud::GoogleIotCore(google) => google::door(google, access),
        Cloud::Mqtt(broker) => plain::door(broker, access),
    }
}

/// Where a card's cloud takes the message of this number that the profile gives this topic.
fn topic(cloud: &Cloud, sequence: u64, topic: &Topic) -> String {
    match cloud {
        Cloud::AwsIot(_) | Cloud::Mqtt(_) => topic.to_string(),
        Cloud::AzureIotHub(hub) => azure::topic(hub, sequence, topic.as_str()),
        Cloud::GoogleIotCore(google) => google::topic(google, topic.as_str()),
    }
}

/// How to connect, given what was read from the files that the profile names.
///
/// `address` is where to connect in place of the cloud's own name and port.
pub fn options(
    door: &Door<'_>,
    delivery: &Delivery,
    tls: Option<Arc<ClientConfig>>,
    login: mqtt::Login,
    address: Option<&Endpoint>,
) -> Options {
    let (dial_host, dial_port) = match address {
        Some(address) => (address.host(), address.port()),
        None => (door.access.host, door.access.port),
    };
    Options {
        host: door.access.host.to_owned(),
        dial: (dial_host.to_owned(), dial_port),
        client_id: door.access.client_id.to_owned(),
        login,
        tls,
        keepalive: delivery.keepalive.get(),
        connect_timeout: delivery.connect_timeout.get(),
        // a new connection begins its packet ids anew, which a broker that remembers those of QoS 2 takes for old ones
        kept: door.kept && delivery.qos != QoS::ExactlyOnce,
        will: door.will.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_stays_when_the_address_is_another() {
        let profile: imgbuild_schema::CardProfile =
            imgbuild_schema::yaml::parse(crate::config::tests::PROFILE).unwrap();
        let (door, address) = (door(&profile.cloud), "10.0.2.2:18883".parse().unwrap());
        let login = mqtt::Login::Nobody;
        let options = options(&door, &profile.telemetry, None, login, Some(&address));
        assert_eq!(options.host, "broker.example");
        assert_eq!(options.dial, ("10.0.2.2".to_owned(), 18883));
    }
}
