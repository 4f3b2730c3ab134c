//! Azure IoT Hub as a device meets it ("Communicate with an IoT hub using the MQTT protocol", Microsoft's
//! documentation of IoT Hub; quotas: "IoT Hub quotas and throttling").

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use super::packet::{Connect, Publish};
use super::server::{Admitted, Double, Refused, Rules, Verdict, refuse};
use super::tls::{self, Clients, Stream};
use super::twin::Twin;
use crate::support::authority::{Authority, Pair};

const MOST_PAYLOAD: usize = 256 * 1024;
/// What MQTT 3.1.1 calls "not authorized".
const UNAUTHORISED: u8 = 5;
/// How long a token is taken after it has ended. The hub's own grace is some minutes.
const GRACE: Duration = Duration::from_secs(1);
/// How the topics begin by which methods are answered.
const METHOD_ANSWERS: &str = "$iothub/methods/res/";
/// What a device may subscribe to.
const FILTERS: [&str; 3] =
    ["$iothub/twin/res/#", "$iothub/methods/POST/#", "$iothub/twin/PATCH/properties/desired/#"];
/// The properties that the hub knows.
const KNOWN: [&str; 9] =
    ["$.mid", "$.cid", "$.uid", "$.to", "$.ct", "$.ce", "$.on", "$.exp", "$.ctime"];

/// A hub with one device.
pub(crate) struct Hub {
    pub(crate) host: String,
    pub(crate) device: String,
    pub(crate) auth: Auth,
    pub(crate) twin: Arc<Twin>,
}

/// How the device is registered.
pub(crate) enum Auth {
    /// With this key, in Base64.
    Key(String),
    /// With this certificate, in DER.
    Certificate(Vec<u8>),
}

impl Hub {
    pub(crate) fn open(self, own: &Pair, clients: &Authority) -> Double {
        Double::start(self, tls::config(own, Clients::MayShow(clients), &[]))
    }

    fn user_name(&self, name: &str) -> Result<(), String> {
        let wanted = format!("{}/{}/?", self.host, self.device);
        let options = name.strip_prefix(&wanted).ok_or(format!("the user name {name:?}"))?;
        let version = options
            .split('&')
            .find_map(|option| option.strip_prefix("api-version="))
            .ok_or("no api-version")?;
        let digits = version.split('-').map(str::len).collect::<Vec<_>>();
        let is_date = digits == [4, 2, 2]
            && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        is_date.then_some(()).ok_or(format!("the api-version {version:?}"))
    }

    /// Verifies a token, and returns for how long it is good.
    fn token(&self, text: &str, key: &str) -> Result<Duration, String> {
        let fields = text.strip_prefix("SharedAccessSignature ").ok_or("no signature")?;
        let fields: HashMap<&str, &str> =
            fields.split('&').filter_map(|field| field.split_once('=')).collect();
        let field = |name| fields.get(name).copied().ok_or(format!("a token without {name}"));
        let decode = |text| percent_decode_str(text).decode_utf8().map_err(|_| "no UTF-8");
        let (resource, signature, expiry) = (field("sr")?, field("sig")?, field("se")?);
        if fields.len() != 3 {
            return Err(format!("{} fields in a token", fields.len()));
        }
        let wanted = format!("{}/devices/{}", self.host, self.device);
        if decode(resource)? != wanted {
            return Err(format!("a token for {resource:?}"));
        }
        if signature.contains(['+', '/', '=']) {
            return Err("a signature that is not encoded".into());
        }
        let key = STANDARD.decode(key).map_err(|_| "the registered key")?;
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &key);
        let signature = STANDARD.decode(decode(signature)?.as_bytes()).map_err(|_| "no Base64")?;
        let signed = format!("{resource}\n{expiry}");
        ring::hmac::verify(&key, signed.as_bytes(), &signature).map_err(|_| "a wrong signature")?;
        let expiry = Duration::from_secs(expiry.parse().map_err(|_| "no time")?);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        expiry.checked_sub(now).ok_or("a token that has ended".into())
    }

    /// For how long who connects is who it says; none: for as long as it likes.
    fn identify(&self, connect: &Connect, stream: &Stream) -> Result<Option<Duration>, String> {
        if connect.client_id != self.device {
            return Err(format!("the client id {:?}", connect.client_id));
        }
        self.user_name(connect.username.as_deref().unwrap_or_default())?;
        let password = connect.password.as_deref().unwrap_or_default();
        match &self.auth {
            Auth::Key(key) => {
                let text = str::from_utf8(password).map_err(|_| "a token that is no text")?;
                self.token(text, key).map(|left| Some(left + GRACE))
            }
            Auth::Certificate(_) if !password.is_empty() => {
                Err("a password beside a certificate".into())
            }
            Auth::Certificate(registered) => {
                let shown = stream.conn.peer_certificates().and_then(|chain| chain.first());
                let is_it = shown.is_some_and(|shown| shown.as_ref() == registered);
                if is_it { Ok(None) } else { Err("another certificate, or none".into()) }
            }
        }
    }
}

impl Rules for Hub {
    type Visit = ();

    fn greet(&self, stream: &Stream) -> Result<(), Refused> {
        match stream.conn.server_name() {
            Some(name) if name == self.host => Ok(()),
            name => refuse(format!("SNI: {name:?}")),
        }
    }

    fn admit(&self, connect: &Connect, stream: &Stream) -> Result<Admitted, (u8, Refused)> {
        let left = self.identify(connect, stream).map_err(|why| (UNAUTHORISED, Refused(why)))?;
        let keepalive = if connect.keepalive == 0 { 1767 } else { connect.keepalive };
        Ok(Admitted {
            silence: Duration::from_millis(1500) * u32::from(keepalive),
            until: left.map(|left| Instant::now() + left),
            keeps: true,
        })
    }

    fn take(&self, client: &str, publish: &Publish, (): &mut ()) -> Result<Verdict, Refused> {
        let Publish { topic, payload, qos, .. } = publish;
        if *qos > 1 {
            return refuse("QoS 2");
        }
        if payload.len() > MOST_PAYLOAD {
            return refuse(format!("a payload of {} bytes", payload.len()));
        }
        if let Some(answers) = self.twin.ask(topic, payload) {
            return Ok(Verdict::Answered(answers));
        }
        if topic.starts_with(METHOD_ANSWERS) {
            return Ok(Verdict::Answered(Vec::new()));
        }
        let Some(bag) = topic.strip_prefix(&format!("devices/{client}/messages/events/")) else {
            return refuse(format!("the topic {topic:?}"));
        };
        properties(bag)?;
        Ok(Verdict::Taken)
    }

    fn subscribe(&self, client: &str, filters: &[(String, u8)]) -> Result<Vec<u8>, Refused> {
        let own = format!("devices/{client}/messages/devicebound/#");
        let is_known = |filter: &str| filter == own || FILTERS.contains(&filter);
        match filters.iter().find(|(filter, _)| !is_known(filter)) {
            Some((filter, _)) => refuse(format!("the filter {filter:?}")),
            None => Ok(filters.iter().map(|(_, qos)| (*qos).min(1)).collect()),
        }
    }
}

/// The properties at the end of a topic, decoded.
pub(crate) fn properties(bag: &str) -> Result<Vec<(String, String)>, Refused> {
    let decode = |text: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte);
        match percent_decode_str(text).decode_utf8() {
            Ok(decoded) if text.bytes().all(is_plain) => Ok(decoded.into_owned()),
            _ => refuse(format!("the property {text:?}")),
        }
    };
    let mut properties = Vec::new();
    for property in bag.split('&').filter(|property| !property.is_empty()) {
        let (key, value) = property.split_once('=').unwrap_or((property, ""));
        let (key, value) = (decode(key)?, decode(value)?);
        let is_twice = properties.iter().any(|(other, _)| *other == key);
        if is_twice || (key.starts_with('$') && !KNOWN.contains(&key.as_str())) {
            return refuse(format!("the property {key:?}"));
        }
        properties.push((key, value));
    }
    Ok(properties)
}
