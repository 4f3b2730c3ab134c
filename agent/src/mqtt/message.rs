//! What goes over a connection, and what tells that it has arrived.

use std::borrow::Cow;

use imgbuild_schema::values::QoS;
use rumqttc::{Publish, PublishNotice, SubscribeNotice, SubscribeReasonCode};

/// A message to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Where.
    pub topic: String,
    /// What.
    pub payload: String,
    /// How surely.
    pub qos: QoS,
    /// Whether the broker keeps it for whoever comes later.
    pub retain: bool,
}

impl Message {
    /// A message that nobody keeps.
    pub fn new(topic: impl Into<String>, payload: impl Into<String>, qos: QoS) -> Self {
        Self { topic: topic.into(), payload: payload.into(), qos, retain: false }
    }
}

/// Which messages the broker is to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The topics, wildcards allowed.
    pub topics: String,
    /// How surely at most.
    pub qos: QoS,
}

/// A message of the broker's. It has to be [acknowledged](Connection::acknowledge) once it was acted upon.
#[derive(Debug)]
pub struct Heard(pub(super) Publish);

impl Heard {
    /// Where it was published.
    pub fn topic(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0.topic)
    }

    /// Whether the broker has kept it, and gives it to whoever subscribes.
    pub fn is_retained(&self) -> bool {
        self.0.retain
    }

    /// What it says.
    pub fn payload(&self) -> &[u8] {
        &self.0.payload
    }
}

/// Tells when a message has arrived.
#[derive(Debug)]
pub struct Receipt(pub(super) PublishNotice);

impl Receipt {
    /// Waits until the broker has acknowledged the message, or at QoS 0 until it is on its way. False:
    /// the connection ended first.
    pub async fn arrived(self) -> bool {
        self.0.wait_async().await.is_ok()
    }
}

/// Tells whether messages will be sent that were asked for.
#[derive(Debug)]
pub struct Subscription {
    pub(super) notice: SubscribeNotice,
    pub(super) topics: Vec<String>,
}

impl Subscription {
    /// The filters that the broker has refused, once it has answered; none: the connection ended first.
    pub async fn refused(self) -> Option<Vec<String>> {
        let answer = self.notice.wait_async().await.ok()?;
        let refused = answer.return_codes.iter().zip(self.topics);
        let refused = refused.filter(|(code, _)| **code == SubscribeReasonCode::Failure);
        Some(refused.map(|(_, topics)| topics).collect())
    }
}
