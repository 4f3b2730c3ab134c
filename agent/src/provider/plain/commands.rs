//! Commands by topics of the profile's choice, and a topic that says whether the device is there: a retained message when
//! it comes, and the last will (MQTT 3.1.1, section 3.1.2.5) or a last word when it goes.

use imgbuild_schema::card::Mqtt;
use imgbuild_schema::values::{QoS, Topic};

use crate::control::Controls;
use crate::mqtt::{Filter, Message};
use crate::provider::Dialogue;

/// What the status topic says.
pub(super) fn status(topic: &Topic, word: &str) -> Message {
    Message { retain: true, ..Message::new(topic.as_str(), word, QoS::AtLeastOnce) }
}

/// A device's dialogue with its broker.
#[derive(Debug)]
pub(super) struct BrokerDialogue {
    commands: Option<Topic>,
    status: Option<Topic>,
}

impl BrokerDialogue {
    pub(super) fn new(broker: &Mqtt) -> Self {
        Self { commands: broker.commands.clone(), status: broker.status.clone() }
    }
}

impl Dialogue for BrokerDialogue {
    fn filters(&self) -> Vec<Filter> {
        let filter = |topic: &Topic| Filter { topics: topic.to_string(), qos: QoS::AtLeastOnce };
        self.commands.iter().map(filter).collect()
    }

    fn greet(&mut self) -> Vec<Message> {
        self.status.iter().map(|topic| status(topic, "online")).collect()
    }

    /// A reboot that is asked for at each start has no end.
    fn takes_retained(&self) -> bool {
        false
    }

    fn begin(&mut self, _: &Controls) -> Vec<Message> {
        Vec::new()
    }

    fn answer(&mut self, topic: &str, payload: &[u8], controls: &mut Controls) -> Vec<Message> {
        if self.commands.as_ref().is_none_or(|own| own.as_str() != topic) {
            return Vec::new();
        }
        let answer = controls.message(payload).document().to_string();
        vec![Message::new(format!("{topic}/answer"), answer, QoS::AtLeastOnce)]
    }

    fn end(&mut self) -> Vec<Message> {
        self.status.iter().map(|topic| status(topic, "offline")).collect()
    }

    fn is_waiting(&self) -> bool {
        false
    }
}
