//! One MQTT connection. The only module that knows the MQTT library, so that another one
//! means another module.
//!
//! The library reconnects and replays by itself if it is let. It is not: each [`Connection`] is one
//! event loop that is thrown away with its first error, and what was not acknowledged is in the outbox.

mod dial;
mod error;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use imgbuild_schema::values::{QoS, Secret};
use rumqttc::{
    AsyncClient, Broker, Event, EventLoop, Incoming, MqttOptions, NetworkOptions, PublishNotice,
    PublishOptions, TlsConfiguration, Transport,
};
use rustls::ClientConfig;

use crate::clock::Utc;
use crate::token::Mint;

pub use error::{Error, Refusal};

/// The largest packet either side may send.
const MAX_PACKET: usize = 256 * 1024;

/// How many messages may be under way. The sender keeps to fewer.
const MAX_UNDER_WAY: u16 = 64;

/// How to connect.
#[derive(Clone, Debug)]
pub struct Options {
    /// The broker's name, which its certificate must bear.
    pub host: String,
    /// Host and port to connect to, which may be another.
    pub dial: (String, u16),
    /// The client id.
    pub client_id: String,
    /// What is said beside the certificate, if there is one.
    pub login: Login,
    /// How the connection is secured; none: in clear.
    pub tls: Option<Arc<ClientConfig>>,
    /// How long the connection may be silent before the broker is asked for a sign of life.
    pub keepalive: Duration,
    /// How long connecting may take.
    pub connect_timeout: Duration,
}

/// How to log in.
#[derive(Clone, Debug, Default)]
pub enum Login {
    /// Not at all.
    #[default]
    Nobody,
    /// By a name, and a password if one is asked for.
    User {
        /// The name.
        name: String,
        /// The password.
        password: Option<Secret>,
    },
    /// By a name and a token that is made for each connection.
    Token {
        /// The name.
        name: String,
        /// What makes it.
        mint: Arc<dyn Mint>,
    },
}

impl Login {
    /// The user name.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Nobody => None,
            Self::User { name, .. } | Self::Token { name, .. } => Some(name),
        }
    }
}

/// A message to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Where.
    pub topic: String,
    /// What.
    pub payload: String,
    /// How surely.
    pub qos: QoS,
}

/// A connection that the broker has accepted.
pub struct Connection {
    client: AsyncClient,
    /// When the token that opened it ends, if one did.
    expires: Option<Utc>,
    /// Works the connection until it ends, which is what it returns. Kept whole between calls: the
    /// library's `poll` loses messages if it is dropped half way.
    driver: Pin<Box<dyn Future<Output = Error>>>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

/// Tells when a message has arrived.
#[derive(Debug)]
pub struct Receipt(PublishNotice);

impl Receipt {
    /// Waits until the broker has acknowledged the message, or at QoS 0 until it is on its way. False:
    /// the connection ended first.
    pub async fn arrived(self) -> bool {
        self.0.wait_async().await.is_ok()
    }
}

impl Connection {
    /// Connects, TLS and all, and waits for the broker to accept. A token is made for it that begins `now`.
    pub async fn open(options: &Options, now: Utc) -> Result<Self, Error> {
        let mut mqtt = mqtt_options(options);
        let expires = log_in(&options.login, now, &mut mqtt).map_err(Error::Unsigned)?;
        let (client, mut events) =
            AsyncClient::builder(mqtt).capacity(usize::from(MAX_UNDER_WAY)).build();
        events.set_network_options(network_options(options.connect_timeout));
        let accepted = async {
            loop {
                match events.poll().await {
                    Ok(Event::Incoming(Incoming::ConnAck(_))) => return Ok(()),
                    Ok(_) => {}
                    Err(error) => return Err(Error::from(error)),
                }
            }
        };
        let accepted = tokio::time::timeout(options.connect_timeout, accepted).await;
        accepted.unwrap_or(Err(Error::Timeout))?;
        Ok(Self { client, expires, driver: Box::pin(drive(events)) })
    }

    /// When the token ends that opened it; none: it may last.
    pub fn expires(&self) -> Option<Utc> {
        self.expires
    }

    /// Hands a message over. It is sent while [`Connection::lost`] is awaited.
    pub fn publish(&self, message: Message) -> Result<Receipt, Error> {
        let qos = match message.qos {
            QoS::AtMostOnce => PublishOptions::at_most_once(),
            QoS::AtLeastOnce => PublishOptions::at_least_once(),
        };
        let notice = self.client.try_publish_tracked(message.topic, message.payload, qos);
        // the error holds the message, which is nothing for a log
        notice.map(Receipt).map_err(|_| Error::Other("the message cannot be sent".into()))
    }

    /// Works the connection until it ends, and says why. Waiting may be given up and taken up again.
    pub async fn lost(&mut self) -> Error {
        self.driver.as_mut().await
    }

    /// Takes leave of the broker.
    pub async fn close(mut self, patience: Duration) {
        if self.client.try_disconnect_now().is_ok() {
            let _ = tokio::time::timeout(patience, self.lost()).await;
        }
    }
}

async fn drive(mut events: EventLoop) -> Error {
    loop {
        if let Err(error) = events.poll().await {
            return error.into();
        }
    }
}

/// What fits into the two bytes that MQTT has for it.
fn seconds(keepalive: Duration) -> u16 {
    u16::try_from(keepalive.as_secs()).unwrap_or(u16::MAX).max(1)
}

fn mqtt_options(options: &Options) -> MqttOptions {
    let broker = Broker::tcp(options.host.clone(), options.dial.1);
    let mut mqtt = MqttOptions::new(options.client_id.clone(), broker);
    mqtt.set_keep_alive(seconds(options.keepalive));
    mqtt.set_max_packet_size(MAX_PACKET, MAX_PACKET);
    mqtt.set_inflight(MAX_UNDER_WAY);
    if let Some(tls) = &options.tls {
        mqtt.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls.clone())));
    }
    // the library takes the name in the handshake from the broker; where to connect is said here
    let (dial, limit) = (options.dial.clone(), options.connect_timeout);
    mqtt.set_socket_connector(move |_, _| dial::connect(dial.clone(), limit));
    mqtt
}

/// Says who is there, and returns when that ends.
fn log_in(login: &Login, now: Utc, mqtt: &mut MqttOptions) -> Result<Option<Utc>, rustls::Error> {
    match login {
        Login::Nobody => {}
        Login::User { name, password: None } => {
            mqtt.set_username(name.clone());
        }
        Login::User { name, password: Some(password) } => {
            mqtt.set_credentials(name.clone(), password.expose().to_owned());
        }
        Login::Token { name, mint } => {
            let token = mint.mint(now)?;
            mqtt.set_credentials(name.clone(), token.text.expose().to_owned());
            return Ok(Some(token.expires));
        }
    }
    Ok(None)
}

/// The library's own limit, in whole seconds, is kept out of the way of ours; it also bounds a flush.
fn network_options(connect_timeout: Duration) -> NetworkOptions {
    let mut network = NetworkOptions::new();
    network.set_connection_timeout(connect_timeout.as_secs() + 5);
    network
}
