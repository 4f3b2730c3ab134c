//! What is said on a connection beside readings: the dialogue of the cloud, if it has one, is listened to,
//! begun, and begun again if no answer comes.

use std::cell::RefCell;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{debug, warn};

use crate::control::Controls;
use crate::mqtt::{Connection, Error, Heard, Message};
use crate::provider::Dialogue;

/// How long an answer may take before the dialogue begins anew; twice as long each time,
const PATIENCE: Duration = Duration::from_secs(10);

/// up to this.
const MOST_PATIENCE: Duration = Duration::from_mins(5);

/// A dialogue and the device that it is about. Both outlive connections.
pub struct Talk {
    dialogue: Option<Box<dyn Dialogue>>,
    controls: Controls,
    /// Whether this program has subscribed, so that a broker that remembers need not be asked again.
    subscribed: bool,
}

impl std::fmt::Debug for Talk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Talk").field("subscribed", &self.subscribed).finish_non_exhaustive()
    }
}

impl Talk {
    /// Nothing has been said yet.
    pub fn new(dialogue: Option<Box<dyn Dialogue>>, controls: Controls) -> Self {
        Self { dialogue, controls, subscribed: false }
    }

    /// Does what has become due.
    pub fn tend(&mut self) {
        self.controls.tend();
    }

    /// A sensor was read: this message tells of it.
    pub fn sampled(&mut self, sensor: usize, message: String) {
        self.controls.sampled(sensor, message);
    }
}

/// The answer to a subscription: what was refused, or none if the connection ended first.
type Granted = Pin<Box<dyn Future<Output = Option<Vec<String>>>>>;

/// A dialogue on one connection.
pub(super) struct Conversation<'a> {
    talk: &'a RefCell<Talk>,
    subscription: Option<(Granted, Instant)>,
    patience: Duration,
    begin_again: Instant,
}

impl<'a> Conversation<'a> {
    /// Begins to listen. The broker has `ack_timeout` to agree.
    pub(super) fn open(
        talk: &'a RefCell<Talk>,
        connection: &Connection,
        ack_timeout: Duration,
    ) -> Result<Self, Error> {
        let now = Instant::now();
        let mut conversation =
            Self { talk, subscription: None, patience: PATIENCE, begin_again: now + PATIENCE };
        let filters = talk.borrow().dialogue.as_ref().map_or(Vec::new(), |it| it.filters());
        let greeting = talk.borrow_mut().dialogue.as_mut().map_or(Vec::new(), |it| it.greet());
        say(greeting, connection)?;
        let remembered = connection.resumed() && talk.borrow().subscribed;
        if filters.is_empty() || remembered {
            conversation.begin(connection)?;
        } else {
            talk.borrow_mut().subscribed = false;
            let granted = connection.subscribe(&filters)?.refused();
            conversation.subscription = Some((Box::pin(granted), now + ack_timeout));
        }
        Ok(conversation)
    }

    /// Waits until the broker agrees to send what was asked for, if it was asked.
    pub(super) async fn granted(&mut self) -> Option<Vec<String>> {
        let Some((granted, _)) = &mut self.subscription else {
            return std::future::pending().await;
        };
        let refused = granted.as_mut().await;
        self.subscription = None;
        refused
    }

    /// Whether the broker has not answered in time.
    pub(super) fn is_overdue(&self) -> bool {
        self.subscription.as_ref().is_some_and(|(_, overdue)| *overdue <= Instant::now())
    }

    /// Begins, if the broker sends all that it was asked for. What it refuses is said.
    pub(super) fn agreed(
        &mut self,
        refused: &[String],
        connection: &Connection,
    ) -> Result<(), Error> {
        if refused.is_empty() {
            self.talk.borrow_mut().subscribed = true;
            return self.begin(connection);
        }
        warn!(
            topics = %refused.join(" "),
            hint = "may the device subscribe to them?",
            "the broker refuses a subscription: the cloud cannot reach this device"
        );
        Ok(())
    }

    fn begin(&mut self, connection: &Connection) -> Result<(), Error> {
        self.begin_again = Instant::now() + self.patience;
        let Talk { dialogue, controls, .. } = &mut *self.talk.borrow_mut();
        let messages = dialogue.as_mut().map_or(Vec::new(), |it| it.begin(controls));
        say(messages, connection)
    }

    /// Acts upon a message, and answers it.
    pub(super) fn hear(&mut self, heard: &Heard, connection: &Connection) -> Result<(), Error> {
        let topic = heard.topic();
        debug!(%topic, bytes = heard.payload().len(), "heard");
        let Talk { dialogue, controls, .. } = &mut *self.talk.borrow_mut();
        if let Some(dialogue) = dialogue {
            if heard.is_retained() && !dialogue.takes_retained() {
                warn!(
                    %topic,
                    hint = "clear it: publish nothing to the topic, retained",
                    "a command that the broker keeps is not done: it would be at each start"
                );
            } else {
                say(dialogue.answer(&topic, heard.payload(), controls), connection)?;
            }
            if !dialogue.is_waiting() {
                self.patience = PATIENCE;
            }
        }
        connection.acknowledge(heard)
    }

    /// Says what has become due.
    pub(super) fn tend(&mut self, connection: &Connection) -> Result<(), Error> {
        let Talk { dialogue, controls, .. } = &mut *self.talk.borrow_mut();
        let due = dialogue.as_mut().map_or(Vec::new(), |it| it.due(Instant::now(), controls));
        say(due, connection)
    }

    /// Says what there is to say before leave is taken.
    pub(super) fn end(&mut self, connection: &Connection) -> Result<(), Error> {
        let messages = self.talk.borrow_mut().dialogue.as_mut().map_or(Vec::new(), |it| it.end());
        say(messages, connection)
    }

    /// Begins anew what was asked too long ago.
    pub(super) fn remind(&mut self, connection: &Connection) -> Result<(), Error> {
        let waiting = self.talk.borrow().dialogue.as_ref().is_some_and(|it| it.is_waiting());
        if !waiting || !self.talk.borrow().subscribed {
            self.begin_again = Instant::now() + self.patience;
            return Ok(());
        }
        if Instant::now() < self.begin_again {
            return Ok(());
        }
        self.patience = (self.patience * 2).min(MOST_PATIENCE);
        self.begin(connection)
    }
}

fn say(messages: Vec<Message>, connection: &Connection) -> Result<(), Error> {
    messages.into_iter().try_for_each(|message| connection.publish(message).map(drop))
}
