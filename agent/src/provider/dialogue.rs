//! What a device and its cloud say to each other beside readings.

use imgbuild_schema::card::Cloud;

use tokio::time::Instant;

use super::{aws, azure, google, plain};
use crate::control::Controls;
use crate::mqtt::{Filter, Message};

/// A cloud's own way of saying what it wants of a device, and of being told. It does nothing itself: it turns what
/// comes into calls of the [`Controls`] and into answers.
pub trait Dialogue {
    /// What is listened to.
    fn filters(&self) -> Vec<Filter>;

    /// What is said at once on each connection.
    fn greet(&mut self) -> Vec<Message> {
        Vec::new()
    }

    /// Whether a message counts that was kept for whoever subscribes: it comes again at each start.
    fn takes_retained(&self) -> bool {
        true
    }

    /// What is said first on each connection, once an answer would be heard.
    fn begin(&mut self, controls: &Controls) -> Vec<Message>;

    /// What is said to a message.
    fn answer(&mut self, topic: &str, payload: &[u8], controls: &mut Controls) -> Vec<Message>;

    /// What is said of the device's own accord, where the cloud limits how often.
    fn due(&mut self, _now: Instant, _controls: &Controls) -> Vec<Message> {
        Vec::new()
    }

    /// What is said before the device takes leave.
    fn end(&mut self) -> Vec<Message> {
        Vec::new()
    }

    /// Whether something was asked that has not been answered yet. If that lasts, the dialogue begins anew.
    fn is_waiting(&self) -> bool;
}

/// The dialogue of a card's cloud, if they have one.
pub fn dialogue(cloud: &Cloud) -> Option<Box<dyn Dialogue>> {
    match cloud {
        Cloud::AwsIot(aws) => aws::dialogue(aws),
        Cloud::AzureIotHub(hub) => Some(azure::dialogue(hub)),
        Cloud::GoogleIotCore(google) => Some(google::dialogue(google)),
        Cloud::Mqtt(broker) => plain::dialogue(broker),
    }
}
