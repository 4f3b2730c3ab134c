//! The packets of MQTT 3.1.1 that a client sends, read as strictly as the standard (OASIS, 2014) allows;
//! and the few that a broker answers with.

use std::io::{self, Read};

/// What a client sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Packet {
    Connect(Connect),
    Publish(Publish),
    PubAck(u16),
    Subscribe { id: u16, filters: Vec<(String, u8)> },
    Unsubscribe { id: u16 },
    PingReq,
    Disconnect,
}

/// Section 3.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Connect {
    pub(crate) clean_session: bool,
    pub(crate) keepalive: u16,
    pub(crate) client_id: String,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<Vec<u8>>,
    pub(crate) will: Option<(String, Vec<u8>)>,
}

/// Section 3.3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Publish {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) qos: u8,
    pub(crate) retain: bool,
    pub(crate) id: Option<u16>,
}

/// Why there is no packet.
#[derive(Debug)]
pub(crate) enum Unread {
    /// The connection is over, or silent for too long.
    Io(io::Error),
    /// What came is no MQTT 3.1.1.
    Malformed(String),
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

type Read1<T> = Result<T, Unread>;

fn malformed<T>(what: impl Into<String>) -> Read1<T> {
    Err(Unread::Malformed(what.into()))
}

/// Reads one packet; one that is longer than `most` bytes is not read.
pub(crate) fn read(stream: &mut impl Read, most: usize) -> Read1<Packet> {
    let first = byte(stream)?;
    let length = length(stream)?;
    if length > most {
        return malformed(format!("a packet of {length} bytes"));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    let mut body = Body(&body);
    let (kind, flags) = (first >> 4, first & 0x0f);
    let reserved = match kind {
        3 => flags,
        8 | 10 => 2,
        _ => 0,
    };
    if flags != reserved {
        return malformed(format!("a packet of kind {kind} with the flags {flags}"));
    }
    let packet = match kind {
        1 => Packet::Connect(connect(&mut body)?),
        3 => Packet::Publish(publish(flags, &mut body)?),
        4 => Packet::PubAck(body.word()?),
        8 => subscribe(&mut body)?,
        10 => {
            let id = body.word()?;
            body.text()?;
            body.0 = &[];
            Packet::Unsubscribe { id }
        }
        12 => Packet::PingReq,
        14 => Packet::Disconnect,
        kind => return malformed(format!("a packet of kind {kind}")),
    };
    if body.0.is_empty() { Ok(packet) } else { malformed("more bytes than the packet has") }
}

fn byte(stream: &mut impl Read) -> Read1<u8> {
    let mut byte = [0];
    stream.read_exact(&mut byte)?;
    Ok(byte[0])
}

/// Section 2.2.3.
fn length(stream: &mut impl Read) -> Read1<usize> {
    let mut length = 0;
    for place in 0..4 {
        let byte = byte(stream)?;
        length |= usize::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            return Ok(length);
        }
    }
    malformed("a length of more than four bytes")
}

fn connect(body: &mut Body<'_>) -> Read1<Connect> {
    if body.bytes()? != b"MQTT" || body.byte()? != 4 {
        return malformed("another protocol than MQTT 3.1.1");
    }
    let flags = body.byte()?;
    let has = |bit: u8| flags & (1 << bit) != 0;
    if has(0) || (!has(2) && flags & 0x38 != 0) || flags & 0x18 == 0x18 || (has(6) && !has(7)) {
        return malformed(format!("the connect flags {flags:#010b}"));
    }
    let keepalive = body.word()?;
    let client_id = body.text()?;
    let will = if has(2) { Some((body.text()?, body.bytes()?.to_vec())) } else { None };
    let username = if has(7) { Some(body.text()?) } else { None };
    let password = if has(6) { Some(body.bytes()?.to_vec()) } else { None };
    if client_id.is_empty() && !has(1) {
        return malformed("a session to keep for nobody");
    }
    Ok(Connect { clean_session: has(1), keepalive, client_id, username, password, will })
}

fn publish(flags: u8, body: &mut Body<'_>) -> Read1<Publish> {
    let (qos, retain) = (flags >> 1 & 3, flags & 1 != 0);
    let topic = body.text()?;
    if qos == 3 || topic.is_empty() || topic.contains(['+', '#', '\0']) {
        return malformed(format!("a message of QoS {qos} to {topic:?}"));
    }
    let id = if qos == 0 { None } else { Some(body.id()?) };
    let payload = std::mem::take(&mut body.0).to_vec();
    Ok(Publish { topic, payload, qos, retain, id })
}

fn subscribe(body: &mut Body<'_>) -> Read1<Packet> {
    let id = body.id()?;
    let mut filters = Vec::new();
    while !body.0.is_empty() {
        filters.push((body.text()?, body.byte()?));
    }
    if filters.is_empty() || filters.iter().any(|(_, qos)| *qos > 2) {
        return malformed("a subscription to nothing, or of a QoS that is none");
    }
    Ok(Packet::Subscribe { id, filters })
}

/// What is left of a packet's body.
struct Body<'a>(&'a [u8]);

impl<'a> Body<'a> {
    fn take(&mut self, count: usize) -> Read1<&'a [u8]> {
        match self.0.split_at_checked(count) {
            Some((taken, rest)) => {
                self.0 = rest;
                Ok(taken)
            }
            None => malformed("a packet that ends too early"),
        }
    }

    fn byte(&mut self) -> Read1<u8> {
        Ok(self.take(1)?[0])
    }

    fn word(&mut self) -> Read1<u16> {
        let bytes = self.take(2)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn id(&mut self) -> Read1<u16> {
        match self.word()? {
            0 => malformed("the packet id 0"),
            id => Ok(id),
        }
    }

    fn bytes(&mut self) -> Read1<&'a [u8]> {
        let length = self.word()?;
        self.take(length.into())
    }

    fn text(&mut self) -> Read1<String> {
        let bytes = self.bytes()?.to_vec();
        String::from_utf8(bytes).or_else(|_| malformed("text that is not UTF-8"))
    }
}

/// Section 3.2: 0 accepts, and says whether there is a session from before; the others refuse.
pub(crate) fn conn_ack(code: u8, session_present: bool) -> Vec<u8> {
    vec![0x20, 2, session_present.into(), code]
}

/// Section 3.3: with an id at QoS 1, without at QoS 0; marked if it was sent before.
pub(crate) fn publish_to(topic: &str, payload: &[u8], id: Option<u16>, again: bool) -> Vec<u8> {
    let word = |length: usize| u16::try_from(length).expect("a short topic").to_be_bytes();
    let id = id.map(u16::to_be_bytes);
    let id = id.as_ref().map_or(&[][..], |id| id);
    let body = [&word(topic.len())[..], topic.as_bytes(), id, payload].concat();
    let first = if id.is_empty() { 0x30 } else { 0x32 } | if again { 0x08 } else { 0 };
    [vec![first], encoded(body.len()), body].concat()
}

/// Section 2.2.3.
fn encoded(mut length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(length % 128).expect("less than 128");
        length /= 128;
        if length == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// Section 3.4.
pub(crate) fn pub_ack(id: u16) -> Vec<u8> {
    [&[0x40, 2][..], &id.to_be_bytes()].concat()
}

/// Section 3.9: one code for each filter.
pub(crate) fn sub_ack(id: u16, codes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(2 + codes.len()).expect("few filters");
    [&[0x90, length][..], &id.to_be_bytes(), codes].concat()
}

/// Section 3.11.
pub(crate) fn unsub_ack(id: u16) -> Vec<u8> {
    [&[0xb0, 2][..], &id.to_be_bytes()].concat()
}

/// Section 3.13.
pub(crate) fn ping_resp() -> Vec<u8> {
    vec![0xd0, 0]
}
