//! One MQTT connection. The only module that knows the MQTT library, so that another one
//! means another module.
//!
//! The library reconnects and replays by itself if it is let. It is not: each [`Connection`] is one
//! event loop that is thrown away with its first error, and what was not acknowledged is in the outbox.

mod dial;
mod error;
mod message;
mod options;

use std::collections::HashSet;
use std::pin::Pin;
use std::time::Duration;

use imgbuild_schema::values::QoS;
use rumqttc::{
    AckMode, AsyncClient, Broker, Event, EventLoop, Incoming, LastWill, MqttOptions,
    NetworkOptions, Outgoing, PublishOptions, SubscribeFilter, TlsConfiguration, Transport,
};
use tokio::sync::mpsc;

use crate::clock::Utc;

pub use error::{Error, Refusal};
pub use message::{Filter, Heard, Message, Receipt, Subscription};
pub use options::{Login, Options};

/// The largest packet either side may send.
const MAX_PACKET: usize = 256 * 1024;

/// How many messages may be under way. The sender keeps to fewer.
const MAX_UNDER_WAY: u16 = 64;

/// How many messages of the broker's may wait to be acted upon; then it is read no further. Their answers, two at most, and
/// a full row of readings have to fit into what may be under way.
const MAX_HEARD: usize = 16;

/// What a connection has to say.
#[derive(Debug)]
pub enum News {
    /// A message has come.
    Heard(Heard),
    /// It has ended.
    Lost(Error),
}

/// A connection that the broker has accepted.
pub struct Connection {
    client: AsyncClient,
    /// When the token that opened it ends, if one did.
    expires: Option<Utc>,
    /// Whether the broker has kept what it had for this client.
    resumed: bool,
    heard: mpsc::Receiver<Heard>,
    /// Works the connection until it ends, which is what it returns. Kept whole between calls: the
    /// library's `poll` loses messages if it is dropped half way.
    driver: Pin<Box<dyn Future<Output = Error>>>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
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
                    Ok(Event::Incoming(Incoming::ConnAck(ack))) => return Ok(ack.session_present),
                    Ok(_) => {}
                    Err(error) => return Err(Error::from(error)),
                }
            }
        };
        let accepted = tokio::time::timeout(options.connect_timeout, accepted).await;
        let resumed = accepted.unwrap_or(Err(Error::Timeout))?;
        let (sender, heard) = mpsc::channel(MAX_HEARD);
        Ok(Self { client, expires, resumed, heard, driver: Box::pin(drive(events, sender)) })
    }

    /// Whether the broker has kept subscriptions, and messages, from the last connection.
    pub fn resumed(&self) -> bool {
        self.resumed
    }

    /// When the token ends that opened it; none: it may last.
    pub fn expires(&self) -> Option<Utc> {
        self.expires
    }

    /// Hands a message over. It is sent while [`Connection::news`] is awaited.
    pub fn publish(&self, message: Message) -> Result<Receipt, Error> {
        let qos = PublishOptions::new(quality(message.qos)).retain(message.retain);
        let notice = self.client.try_publish_tracked(message.topic, message.payload, qos);
        // the error holds the message, which is nothing for a log
        notice.map(Receipt).map_err(|_| Error::Other("the message cannot be sent".into()))
    }

    /// Asks for messages.
    pub fn subscribe(&self, filters: &[Filter]) -> Result<Subscription, Error> {
        let wanted = filters
            .iter()
            .map(|filter| SubscribeFilter::new(filter.topics.clone(), quality(filter.qos)));
        let notice = self.client.try_subscribe_many_tracked(wanted);
        let topics = filters.iter().map(|filter| filter.topics.clone()).collect();
        let failed = |_| Error::Other("the subscription cannot be sent".into());
        notice.map(|notice| Subscription { notice, topics }).map_err(failed)
    }

    /// Tells the broker that a message has been acted upon, and need not come again.
    pub fn acknowledge(&self, heard: &Heard) -> Result<(), Error> {
        let acknowledged = self.client.try_ack(&heard.0);
        acknowledged.map_err(|_| Error::Other("the acknowledgement cannot be sent".into()))
    }

    /// Works the connection until there is something to say. Waiting may be given up and taken up again.
    pub async fn news(&mut self) -> News {
        tokio::select! {
            // what has come is acted upon before more is read; what came with the end comes again, or cannot be answered
            biased;
            Some(heard) = self.heard.recv() => News::Heard(heard),
            error = self.driver.as_mut() => News::Lost(error),
        }
    }

    /// Works the connection to its end, whatever comes, and says why it ended.
    pub async fn lost(&mut self) -> Error {
        loop {
            if let News::Lost(error) = self.news().await {
                return error;
            }
        }
    }

    /// Takes leave of the broker, once it has acknowledged what it was sent.
    pub async fn close(mut self, patience: Duration) {
        if self.client.try_disconnect_with_timeout(patience).is_ok() {
            let _ = tokio::time::timeout(patience, self.lost()).await;
        }
    }
}

async fn drive(mut events: EventLoop, heard: mpsc::Sender<Heard>) -> Error {
    let mut unacknowledged = HashSet::new();
    loop {
        match events.poll().await {
            // a broker that sends one again before it has seen the acknowledgement gets that one
            Ok(Event::Incoming(Incoming::Publish(publish)))
                if publish.pkid == 0 || unacknowledged.insert(publish.pkid) =>
            {
                // whoever listens holds this future too, and goes with it
                let _ = heard.send(Heard(publish)).await;
            }
            Ok(Event::Outgoing(Outgoing::PubAck(id))) => {
                unacknowledged.remove(&id);
            }
            Ok(_) => {}
            Err(error) => return error.into(),
        }
    }
}

fn quality(qos: QoS) -> rumqttc::QoS {
    match qos {
        QoS::AtMostOnce => rumqttc::QoS::AtMostOnce,
        QoS::AtLeastOnce => rumqttc::QoS::AtLeastOnce,
        QoS::ExactlyOnce => rumqttc::QoS::ExactlyOnce,
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
    mqtt.set_ack_mode(AckMode::Manual);
    // without a name there is nothing to keep anything by
    mqtt.set_clean_session(!options.kept || options.client_id.is_empty());
    if let Some(will) = &options.will {
        let Message { topic, payload, qos, retain } = will.clone();
        mqtt.set_last_will(LastWill::new(topic, payload, quality(qos), retain));
    }
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
