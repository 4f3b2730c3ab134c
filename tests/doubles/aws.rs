//! AWS IoT Core as a device meets it: its limits (AWS General Reference, "AWS IoT Core endpoints and
//! quotas") and what it makes of MQTT (developer guide, "MQTT"). It gives no reasons: it closes.

use std::collections::HashMap;
use std::io::Write;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustls::ServerConfig;

use super::packet::{self, Connect, Packet, Publish, Unread};
use super::tls::{self, Stream};
use crate::support::authority::{Authority, Pair};

const MOST_PAYLOAD: usize = 128 * 1024;
const MOST_TOPIC: usize = 256;
const MOST_SLASHES: usize = 7;
const MOST_CLIENT_ID: usize = 128;
const MOST_FILTERS: usize = 8;
const MOST_A_SECOND: usize = 100;
/// The protocol on port 443.
const ALPN: &str = "x-amzn-mqtt-ca";

/// What a thing may do.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    /// As whom it may connect (`iot:Connect` on `client/…`).
    pub(crate) client: String,
    /// How the topics begin that it may publish to (`iot:Publish` on `topic/…*`).
    pub(crate) topics: String,
}

/// What an account is.
pub(crate) struct Account {
    /// The endpoint's name.
    pub(crate) endpoint: String,
    /// Whether this is port 443, which serves several protocols.
    pub(crate) shared_port: bool,
    pub(crate) policy: Policy,
}

/// What came, and what was not taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) connects: Vec<(String, u16)>,
    pub(crate) messages: Vec<(String, String)>,
    pub(crate) refused: Vec<String>,
    /// Messages beyond the rate, which are discarded without a word.
    pub(crate) discarded: usize,
}

/// A running double; it ends when it is dropped.
pub(crate) struct Aws {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    account: Account,
    tls: Arc<ServerConfig>,
    ledger: Mutex<Ledger>,
    /// Who is connected: a second connection takes the place of the first.
    connected: Mutex<HashMap<String, TcpStream>>,
    over: AtomicBool,
}

impl Aws {
    pub(crate) fn start(account: Account, own: &Pair, clients: &Authority) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let alpn: &[&str] = if account.shared_port { &[ALPN] } else { &[] };
        let shared = Arc::new(Shared {
            tls: tls::config(own, clients, alpn),
            account,
            ledger: Mutex::default(),
            connected: Mutex::default(),
            over: AtomicBool::new(false),
        });
        let server = Arc::clone(&shared);
        thread::spawn(move || {
            for socket in listener.incoming() {
                if server.over.load(Ordering::Relaxed) {
                    return;
                }
                let (server, socket) = (Arc::clone(&server), socket.unwrap());
                thread::spawn(move || server.serve(&socket));
            }
        });
        Self { port, shared }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn ledger(&self) -> Ledger {
        self.shared.ledger.lock().unwrap().clone()
    }
}

impl Drop for Aws {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        // wakes the listener, and ends who is connected
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        for socket in self.shared.connected.lock().unwrap().values() {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

/// Why a connection is closed.
struct Refused(String);

impl From<Unread> for Refused {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Io(error) => Self(format!("connection: {error}")),
            Unread::Malformed(what) => Self(what),
        }
    }
}

fn refuse<T>(what: impl Into<String>) -> Result<T, Refused> {
    Err(Refused(what.into()))
}

impl Shared {
    fn serve(&self, socket: &TcpStream) {
        let limit = Some(Duration::from_secs(10));
        socket.set_read_timeout(limit).unwrap();
        let ended = match tls::accept(&self.tls, socket.try_clone().unwrap()) {
            Ok(stream) => self.session(stream),
            Err(error) => refuse(format!("handshake: {error}")),
        };
        let _ = socket.shutdown(Shutdown::Both);
        if let Err(Refused(why)) = ended {
            self.ledger.lock().unwrap().refused.push(why);
        }
    }

    /// From the handshake to the client's leave.
    fn session(&self, mut stream: Stream) -> Result<(), Refused> {
        match stream.conn.server_name() {
            Some(name) if name == self.account.endpoint => {}
            name => return refuse(format!("SNI: {name:?}")),
        }
        if self.account.shared_port && stream.conn.alpn_protocol() != Some(ALPN.as_bytes()) {
            return refuse("ALPN: none");
        }
        let Packet::Connect(connect) = packet::read(&mut stream, 2 * MOST_PAYLOAD)? else {
            return refuse("something before CONNECT");
        };
        self.admit(&connect, &stream)?;
        answer(&mut stream, &packet::conn_ack(0))?;
        let mut rate = Rate::default();
        loop {
            match packet::read(&mut stream, 2 * MOST_PAYLOAD)? {
                Packet::Publish(publish) => {
                    self.check(&publish)?;
                    if rate.is_exceeded() {
                        self.ledger.lock().unwrap().discarded += 1;
                        continue;
                    }
                    let payload = String::from_utf8_lossy(&publish.payload).into_owned();
                    self.ledger.lock().unwrap().messages.push((publish.topic, payload));
                    if let Some(id) = publish.id {
                        answer(&mut stream, &packet::pub_ack(id))?;
                    }
                }
                Packet::Subscribe { id, filters } => {
                    if filters.len() > MOST_FILTERS {
                        return refuse(format!("{} filters", filters.len()));
                    }
                    let codes: Vec<u8> = filters.iter().map(|(_, qos)| (*qos).min(1)).collect();
                    answer(&mut stream, &packet::sub_ack(id, &codes))?;
                }
                Packet::Unsubscribe { id } => answer(&mut stream, &packet::unsub_ack(id))?,
                Packet::PubAck(_) => {}
                Packet::PingReq => answer(&mut stream, &packet::ping_resp())?,
                Packet::Disconnect => return Ok(()),
                Packet::Connect(_) => return refuse("a second CONNECT"),
            }
        }
    }

    fn admit(&self, connect: &Connect, stream: &Stream) -> Result<(), Refused> {
        let id = &connect.client_id;
        if id.is_empty() || id.len() > MOST_CLIENT_ID || id.starts_with('$') {
            return refuse(format!("the client id {id:?}"));
        }
        if *id != self.account.policy.client {
            return refuse(format!("policy: iot:Connect as {id}"));
        }
        // 0 means the longest, less than the shortest means the shortest
        let keepalive = match connect.keepalive {
            0 | 1201.. => 1200,
            seconds => seconds.max(30),
        };
        let socket = &stream.sock;
        let patience = Duration::from_millis(1500) * u32::from(keepalive);
        socket.set_read_timeout(Some(patience)).unwrap();
        self.ledger.lock().unwrap().connects.push((id.clone(), connect.keepalive));
        let socket = socket.try_clone().unwrap();
        if let Some(first) = self.connected.lock().unwrap().insert(id.clone(), socket) {
            let _ = first.shutdown(Shutdown::Both);
        }
        Ok(())
    }

    fn check(&self, publish: &Publish) -> Result<(), Refused> {
        let Publish { topic, payload, qos, .. } = publish;
        if *qos > 1 {
            return refuse("QoS 2");
        }
        if payload.len() > MOST_PAYLOAD {
            return refuse(format!("a payload of {} bytes", payload.len()));
        }
        if topic.len() > MOST_TOPIC || topic.matches('/').count() > MOST_SLASHES {
            return refuse(format!("the topic {topic:?}"));
        }
        if topic.starts_with('$') {
            return refuse(format!("the unknown topic {topic:?}"));
        }
        if !topic.starts_with(&self.account.policy.topics) {
            return refuse(format!("policy: iot:Publish to {topic}"));
        }
        Ok(())
    }
}

fn answer(stream: &mut Stream, bytes: &[u8]) -> Result<(), Refused> {
    let sent = stream.write_all(bytes).and_then(|()| stream.flush());
    sent.map_err(|error| Refused(format!("connection: {error}")))
}

/// Counts the messages of a second.
struct Rate {
    since: Instant,
    count: usize,
}

impl Default for Rate {
    fn default() -> Self {
        Self { since: Instant::now(), count: 0 }
    }
}

impl Rate {
    fn is_exceeded(&mut self) -> bool {
        if self.since.elapsed() >= Duration::from_secs(1) {
            *self = Self::default();
        }
        self.count += 1;
        self.count > MOST_A_SECOND
    }
}
