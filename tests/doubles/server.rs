//! What every double over MQTT does: TLS, one thread for each connection, a second connection of a client in
//! the place of the first, subscriptions and what waits for whom is away, a ledger of what came and of what was
//! not taken. What a cloud allows, and what it answers, is its [`Rules`].

use std::io::{ErrorKind, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustls::ServerConfig;

use super::packet::{self, Connect, Packet, Publish, Unread};
use super::sessions::{Delivery, Sessions};
use super::tls::{self, Stream};

/// The longest packet that any cloud takes.
const LONGEST: usize = 1 << 20;

/// How often it is looked whether there is something to send.
const MOMENT: Duration = Duration::from_millis(20);

/// How long a packet may take that has begun.
const PACKET: Duration = Duration::from_secs(10);

/// Why a connection is closed.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) String);

impl From<Unread> for Refused {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Io(error) => Self(format!("connection: {error}")),
            Unread::Malformed(what) => Self(what),
        }
    }
}

pub(crate) fn refuse<T>(what: impl Into<String>) -> Result<T, Refused> {
    Err(Refused(what.into()))
}

/// What a cloud makes of a client that it lets in.
pub(crate) struct Admitted {
    /// How long it may be silent.
    pub(crate) silence: Duration,
    /// When it is put out, whatever it does.
    pub(crate) until: Option<Instant>,
    /// Whether subscriptions are kept for a client that asks for it.
    pub(crate) keeps: bool,
}

/// What a cloud does with a message.
pub(crate) enum Verdict {
    Taken,
    /// Said beside readings, and answered.
    Answered(Vec<Delivery>),
    /// Discarded without a word.
    Discarded,
}

/// What a cloud allows.
pub(crate) trait Rules: Send + Sync + 'static {
    /// What is kept of one connection.
    type Visit: Default;

    /// After the handshake.
    fn greet(&self, stream: &Stream) -> Result<(), Refused>;

    /// A client that asks to be let in. Refused with a code, it is told so (MQTT 3.1.1, table 3.1).
    fn admit(&self, connect: &Connect, stream: &Stream) -> Result<Admitted, (u8, Refused)>;

    /// A message of a client.
    fn take(
        &self,
        client: &str,
        publish: &Publish,
        visit: &mut Self::Visit,
    ) -> Result<Verdict, Refused>;

    /// The filters of a subscription.
    fn subscribe(&self, client: &str, filters: &[(String, u8)]) -> Result<Vec<u8>, Refused>;

    /// What is sent at once to who has subscribed.
    fn welcome(&self, _filters: &[(String, u8)]) -> Vec<Delivery> {
        Vec::new()
    }
}

/// The code that stands for no answer at all.
pub(crate) const SILENT: u8 = 0;

/// What a double does wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// CONNECT is not answered.
    NoConnAck,
    /// The connection is closed as soon as it was accepted.
    Unstable,
    /// A reading is not acknowledged.
    NoPubAck,
    /// SUBSCRIBE is not answered.
    NoSubAck,
    /// Nothing is answered, once a message has come.
    Silent,
}

/// What came, and what was not taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    /// Client ids and keepalives, of those that were let in.
    pub(crate) connects: Vec<(String, u16)>,
    /// Topics and payloads of readings.
    pub(crate) messages: Vec<(String, String)>,
    /// Topics and payloads of what is said beside.
    pub(crate) asides: Vec<(String, String)>,
    /// Why connections were closed.
    pub(crate) refused: Vec<String>,
    /// How many messages were discarded.
    pub(crate) discarded: usize,
    /// When CONNECTs came, let in or not.
    pub(crate) attempts: Vec<Instant>,
    /// How often somebody has subscribed.
    pub(crate) subscriptions: usize,
    /// Topics of what clients have acknowledged.
    pub(crate) acknowledged: Vec<String>,
}

/// A running double; it ends when it is dropped.
pub(crate) struct Double {
    port: u16,
    ledger: Arc<Mutex<Ledger>>,
    sessions: Arc<Sessions>,
    fault: Arc<Mutex<Option<(Fault, usize)>>>,
    over: Arc<AtomicBool>,
}

impl Double {
    pub(crate) fn start(rules: impl Rules, tls: Arc<ServerConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let double = Self {
            port,
            ledger: Arc::default(),
            sessions: Arc::default(),
            fault: Arc::default(),
            over: Arc::default(),
        };
        let over = Arc::clone(&double.over);
        let server = Arc::new(Server {
            rules,
            tls,
            ledger: Arc::clone(&double.ledger),
            sessions: Arc::clone(&double.sessions),
            fault: Arc::clone(&double.fault),
        });
        thread::spawn(move || {
            for socket in listener.incoming() {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                let (server, socket) = (Arc::clone(&server), socket.unwrap());
                thread::spawn(move || server.serve(&socket));
            }
        });
        double
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn ledger(&self) -> Ledger {
        self.ledger.lock().unwrap().clone()
    }

    /// Sends messages to whoever has subscribed, as the cloud does of its own accord.
    pub(crate) fn deliver(&self, deliveries: &[Delivery]) {
        for delivery in deliveries {
            self.sessions.deliver(delivery);
        }
    }

    /// Ends every connection, and keeps nothing of it.
    pub(crate) fn forget(&self) {
        self.sessions.forget();
    }

    /// Does something wrong, so many times.
    pub(crate) fn misbehave(&self, fault: Fault, times: usize) {
        *self.fault.lock().unwrap() = Some((fault, times));
    }

    /// Ends every connection.
    pub(crate) fn put_out(&self) {
        self.sessions.end();
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // wakes the listener, and ends who is connected
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        self.sessions.end();
    }
}

struct Server<R> {
    rules: R,
    tls: Arc<ServerConfig>,
    ledger: Arc<Mutex<Ledger>>,
    sessions: Arc<Sessions>,
    /// What is to be done wrong, and how often still.
    fault: Arc<Mutex<Option<(Fault, usize)>>>,
}

impl<R: Rules> Server<R> {
    /// Whether this is to be done wrong now.
    fn fails(&self, fault: Fault) -> bool {
        match &mut *self.fault.lock().unwrap() {
            Some((planned, left)) if *planned == fault && *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }

    fn serve(&self, socket: &TcpStream) {
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let ended = match tls::accept(&self.tls, socket.try_clone().unwrap()) {
            Ok(stream) => self.visit(stream),
            Err(error) => refuse(format!("handshake: {error}")),
        };
        let _ = socket.shutdown(Shutdown::Both);
        if let Err(Refused(why)) = ended {
            self.note(|ledger| ledger.refused.push(why));
        }
    }

    fn note(&self, entry: impl FnOnce(&mut Ledger)) {
        entry(&mut self.ledger.lock().unwrap());
    }

    /// From the handshake to the client's leave.
    fn visit(&self, mut stream: Stream) -> Result<(), Refused> {
        self.rules.greet(&stream)?;
        let Packet::Connect(connect) = packet::read(&mut stream, LONGEST)? else {
            return refuse("something before CONNECT");
        };
        self.note(|ledger| ledger.attempts.push(Instant::now()));
        if self.fails(Fault::NoConnAck) {
            wait_for_the_end(&mut stream);
            return Ok(());
        }
        let admitted = match self.rules.admit(&connect, &stream) {
            Ok(admitted) => admitted,
            Err((SILENT, refused)) => return Err(refused),
            Err((code, refused)) => {
                answer(&mut stream, &packet::conn_ack(code, false))?;
                return Err(refused);
            }
        };
        let client = &connect.client_id;
        self.note(|ledger| ledger.connects.push((client.clone(), connect.keepalive)));
        let socket = stream.sock.try_clone().unwrap();
        let (connection, present) = self.sessions.enter(&connect, socket, admitted.keeps);
        answer(&mut stream, &packet::conn_ack(0, present))?;
        if self.fails(Fault::Unstable) {
            return refuse("unstable");
        }
        let ended = self.serve_client(client, connection, &admitted, &mut stream);
        self.sessions.leave(client, connection);
        ended
    }

    fn serve_client(
        &self,
        client: &str,
        connection: u64,
        admitted: &Admitted,
        stream: &mut Stream,
    ) -> Result<(), Refused> {
        let mut visit = R::Visit::default();
        let mut heard = Instant::now();
        loop {
            while let Some(packet) = self.sessions.next(client, connection) {
                answer(stream, &packet)?;
            }
            if admitted.until.is_some_and(|until| until <= Instant::now()) {
                return refuse("its time is over");
            }
            if !something_came(stream)? {
                if heard.elapsed() >= admitted.silence {
                    return refuse("its silence");
                }
                continue;
            }
            heard = Instant::now();
            if self.fails(Fault::Silent) {
                wait_for_the_end(stream);
                return Ok(());
            }
            match packet::read(stream, LONGEST)? {
                Packet::Disconnect => return Ok(()),
                packet => self.handle(packet, client, &mut visit, stream)?,
            }
        }
    }

    fn taken(
        &self,
        publish: Publish,
        stream: &mut Stream,
        page: impl FnOnce(&mut Ledger) -> &mut Vec<(String, String)>,
    ) -> Result<(), Refused> {
        let payload = String::from_utf8_lossy(&publish.payload).into_owned();
        self.note(|ledger| page(ledger).push((publish.topic, payload)));
        publish.id.map_or(Ok(()), |id| answer(stream, &packet::pub_ack(id)))
    }

    fn handle(
        &self,
        packet: Packet,
        client: &str,
        visit: &mut R::Visit,
        stream: &mut Stream,
    ) -> Result<(), Refused> {
        match packet {
            Packet::Publish(publish) => match self.rules.take(client, &publish, visit)? {
                Verdict::Discarded => {
                    self.note(|ledger| ledger.discarded += 1);
                    Ok(())
                }
                Verdict::Taken => {
                    let id = publish.id.filter(|_| !self.fails(Fault::NoPubAck));
                    self.taken(Publish { id, ..publish }, stream, |ledger| &mut ledger.messages)
                }
                Verdict::Answered(deliveries) => {
                    self.taken(publish, stream, |ledger| &mut ledger.asides)?;
                    for delivery in &deliveries {
                        self.sessions.deliver(delivery);
                    }
                    Ok(())
                }
            },
            Packet::Subscribe { id, filters } => {
                let codes = self.rules.subscribe(client, &filters)?;
                self.note(|ledger| ledger.subscriptions += 1);
                let granted = filters.iter().zip(&codes).filter(|(_, code)| **code < 0x80);
                let granted: Vec<_> =
                    granted.map(|((filter, _), code)| (filter.clone(), *code)).collect();
                if self.fails(Fault::NoSubAck) {
                    return Ok(());
                }
                self.sessions.subscribe(client, &granted);
                answer(stream, &packet::sub_ack(id, &codes))?;
                for delivery in self.rules.welcome(&granted) {
                    self.sessions.deliver(&delivery);
                }
                Ok(())
            }
            Packet::Unsubscribe { id } => answer(stream, &packet::unsub_ack(id)),
            Packet::PingReq => answer(stream, &packet::ping_resp()),
            Packet::PubAck(id) => match self.sessions.acknowledged(client, id) {
                Some(delivery) => {
                    self.note(|ledger| ledger.acknowledged.push(delivery.topic));
                    Ok(())
                }
                None => refuse(format!("PUBACK {id} for nothing")),
            },
            Packet::Connect(_) | Packet::Disconnect => refuse("a second CONNECT"),
        }
    }
}

/// Says nothing until the client goes.
fn wait_for_the_end(stream: &mut Stream) {
    stream.sock.set_read_timeout(None).unwrap();
    while packet::read(stream, LONGEST).is_ok() {}
}

/// Waits a moment for something to read.
fn something_came(stream: &mut Stream) -> Result<bool, Refused> {
    let broken = |error: std::io::Error| Refused(format!("connection: {error}"));
    let state = stream.conn.process_new_packets();
    let state = state.map_err(|error| Refused(format!("TLS: {error}")))?;
    if state.plaintext_bytes_to_read() > 0 {
        return Ok(true);
    }
    stream.sock.set_read_timeout(Some(MOMENT)).map_err(broken)?;
    let peeked = stream.sock.peek(&mut [0]);
    stream.sock.set_read_timeout(Some(PACKET)).map_err(broken)?;
    match peeked {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            Ok(false)
        }
        Err(error) => Err(broken(error)),
    }
}

fn answer(stream: &mut Stream, bytes: &[u8]) -> Result<(), Refused> {
    let sent = stream.write_all(bytes).and_then(|()| stream.flush());
    sent.map_err(|error| Refused(format!("connection: {error}")))
}
