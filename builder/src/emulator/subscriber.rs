//! Everything that is published at the local broker, as it arrives.

use std::fmt;
use std::path::Path;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use rumqttc::{Broker, Client, Connection, Event, Incoming, MqttOptions, QoS};

/// Its client id.
pub(super) const NAME: &str = "imgbuild-run";

/// What MQTT allows at most.
const MAX_PACKET: usize = 256 << 20;

/// A message that reached the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Where it was published.
    pub topic: String,
    /// What it says.
    pub payload: Vec<u8>,
    /// When it was seen.
    pub at: SystemTime,
}

impl Message {
    /// The payload as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }
}

/// A subscription to every topic.
pub(super) struct Subscriber {
    client: Client,
    thread: Option<JoinHandle<()>>,
}

impl Subscriber {
    /// Subscribes over the broker's own socket, and returns when the broker has confirmed it: from
    /// then on nothing is missed. Messages go to `to`.
    pub(super) fn start(socket: &Path, to: Sender<Message>) -> Result<Self> {
        let mut options = MqttOptions::new(NAME, Broker::unix(socket));
        options.set_keep_alive(0).set_max_packet_size(MAX_PACKET, MAX_PACKET);
        let (client, connection) = Client::builder(options).capacity(16).build();
        client.subscribe("#", QoS::AtLeastOnce).context("subscribing at the broker")?;
        let (ready, confirmed) = mpsc::sync_channel(1);
        let thread = thread::spawn(move || pass_on(connection, &to, &ready));
        confirmed
            .recv_timeout(Duration::from_secs(10))
            .context("waiting for the broker to confirm the subscription")?
            .context("subscribing at the broker")?;
        Ok(Self { client, thread: Some(thread) })
    }
}

impl fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriber").finish_non_exhaustive()
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        // a broker that has gone already cannot be told good-bye
        let _ = self.client.try_disconnect_now();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn pass_on(mut connection: Connection, to: &Sender<Message>, ready: &mpsc::SyncSender<Result<()>>) {
    for event in connection.iter() {
        match event {
            Ok(Event::Incoming(Incoming::SubAck(_))) => {
                let _ = ready.try_send(Ok(()));
            }
            Ok(Event::Incoming(Incoming::Publish(publish))) => {
                let message = Message {
                    topic: String::from_utf8_lossy(&publish.topic).into_owned(),
                    payload: publish.payload.to_vec(),
                    at: SystemTime::now(),
                };
                if to.send(message).is_err() {
                    return;
                }
            }
            Ok(_) => {}
            // the broker ended, or never was: the one who waits is told, nobody else minds
            Err(error) => {
                let _ = ready.try_send(Err(error.into()));
                return;
            }
        }
    }
}
