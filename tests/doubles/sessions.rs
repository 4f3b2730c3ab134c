//! Who is connected, who has subscribed to what, and what waits for whom (MQTT 3.1.1, sections 3.1.2.4 and 4.4).

use std::collections::{HashMap, VecDeque};
use std::net::{Shutdown, TcpStream};
use std::sync::Mutex;

use super::packet::{self, Connect};

/// A message for whoever has subscribed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
}

impl Delivery {
    pub(crate) fn new(topic: impl Into<String>, payload: impl Into<Vec<u8>>) -> Self {
        Self { topic: topic.into(), payload: payload.into() }
    }
}

/// A message that is yet to be sent.
struct Waiting {
    delivery: Delivery,
    qos: u8,
    /// The id that it was sent with before.
    id: Option<u16>,
}

#[derive(Default)]
struct Session {
    /// Which of the client's connections this is; none: it is away.
    connection: Option<(u64, TcpStream)>,
    kept: bool,
    filters: Vec<(String, u8)>,
    waiting: VecDeque<Waiting>,
    /// Sent and not acknowledged.
    under_way: VecDeque<(u16, Delivery)>,
    last_id: u16,
}

/// The sessions of a broker.
#[derive(Default)]
pub(crate) struct Sessions {
    by_client: Mutex<(u64, HashMap<String, Session>)>,
}

impl Sessions {
    /// A client has come: another connection of its is ended. Returns which connection this is, and whether there is a
    /// session from before.
    pub(crate) fn enter(&self, connect: &Connect, socket: TcpStream, keeps: bool) -> (u64, bool) {
        let (count, sessions) = &mut *self.by_client.lock().unwrap();
        *count += 1;
        let kept = keeps && !connect.clean_session;
        let before = sessions.remove(&connect.client_id);
        if let Some((_, first)) = before.as_ref().and_then(|it| it.connection.as_ref()) {
            let _ = first.shutdown(Shutdown::Both);
        }
        let before = before.filter(|session| session.kept && kept);
        let present = before.is_some();
        let mut session = before.unwrap_or_default();
        session.again();
        session.connection = Some((*count, socket));
        session.kept = kept;
        sessions.insert(connect.client_id.clone(), session);
        (*count, present)
    }

    /// A connection has ended.
    pub(crate) fn leave(&self, client: &str, connection: u64) {
        let (_, sessions) = &mut *self.by_client.lock().unwrap();
        let Some(session) = sessions.get_mut(client) else { return };
        if session.connection.as_ref().is_some_and(|(own, _)| *own == connection) {
            session.connection = None;
            if !session.kept {
                sessions.remove(client);
            }
        }
    }

    pub(crate) fn subscribe(&self, client: &str, filters: &[(String, u8)]) {
        if let Some(session) = self.by_client.lock().unwrap().1.get_mut(client) {
            session.filters.retain(|(filter, _)| filters.iter().all(|(new, _)| new != filter));
            session.filters.extend_from_slice(filters);
        }
    }

    /// For everybody who has subscribed, here or away. Returns for how many that is.
    pub(crate) fn deliver(&self, delivery: &Delivery) -> usize {
        let (_, sessions) = &mut *self.by_client.lock().unwrap();
        let mut count = 0;
        for session in sessions.values_mut() {
            let qos = session.filters.iter().filter(|(filter, _)| matches(filter, &delivery.topic));
            let Some(qos) = qos.map(|(_, qos)| (*qos).min(1)).max() else { continue };
            // at QoS 0 nothing is kept for who is away
            if qos > 0 || session.connection.is_some() {
                session.waiting.push_back(Waiting { delivery: delivery.clone(), qos, id: None });
                count += 1;
            }
        }
        count
    }

    /// The next packet to send on a connection.
    pub(crate) fn next(&self, client: &str, connection: u64) -> Option<Vec<u8>> {
        let (_, sessions) = &mut *self.by_client.lock().unwrap();
        let session = sessions.get_mut(client)?;
        if session.connection.as_ref().is_none_or(|(own, _)| *own != connection) {
            return None;
        }
        let Waiting { delivery, qos, id: before } = session.waiting.pop_front()?;
        let id = (qos > 0).then(|| {
            let id = before.unwrap_or(session.last_id % u16::MAX + 1);
            session.last_id = session.last_id.max(id);
            session.under_way.push_back((id, delivery.clone()));
            id
        });
        Some(packet::publish_to(&delivery.topic, &delivery.payload, id, before.is_some()))
    }

    /// A client has acknowledged a delivery; none: it was never sent.
    pub(crate) fn acknowledged(&self, client: &str, id: u16) -> Option<Delivery> {
        let (_, sessions) = &mut *self.by_client.lock().unwrap();
        let under_way = &mut sessions.get_mut(client)?.under_way;
        let place = under_way.iter().position(|(own, _)| *own == id)?;
        under_way.remove(place).map(|(_, delivery)| delivery)
    }

    /// Ends every connection, and keeps nothing of it.
    pub(crate) fn forget(&self) {
        self.end();
        self.by_client.lock().unwrap().1.clear();
    }

    /// Ends every connection.
    pub(crate) fn end(&self) {
        for session in self.by_client.lock().unwrap().1.values() {
            if let Some((_, socket)) = &session.connection {
                let _ = socket.shutdown(Shutdown::Both);
            }
        }
    }
}

impl Session {
    /// What was not acknowledged is sent once more, with the id that it had.
    fn again(&mut self) {
        while let Some((id, delivery)) = self.under_way.pop_back() {
            self.waiting.push_front(Waiting { delivery, qos: 1, id: Some(id) });
        }
    }
}

/// Whether a filter covers a topic (section 4.7).
fn matches(filter: &str, topic: &str) -> bool {
    let (mut filter, mut topic) = (filter.split('/'), topic.split('/'));
    loop {
        match (filter.next(), topic.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(_)) => {}
            (Some(level), Some(own)) if level == own => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn filters_cover_what_the_standard_says() {
        for (filter, topic, covers) in [
            ("sport/tennis/player1/#", "sport/tennis/player1", true),
            ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true),
            ("sport/tennis/+", "sport/tennis/player1", true),
            ("sport/tennis/+", "sport/tennis/player1/ranking", false),
            ("sport/+", "sport", false),
            ("sport/+", "sport/", true),
            ("+/+", "/finance", true),
            ("+", "/finance", false),
        ] {
            assert_eq!(matches(filter, topic), covers, "{filter} {topic}");
        }
    }
}
