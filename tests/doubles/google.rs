//! A registry that speaks the protocol of Google Cloud IoT Core, as a device meets it ("Publishing over the
//! MQTT bridge", "Using JSON Web Tokens", "Quotas and limits" of its documentation; ClearBlade's has the same).

use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{self, UnparsedPublicKey};
use serde_json::Value;

use super::packet::{Connect, Publish};
use super::server::{Admitted, Double, Refused, Rules, Verdict, refuse};
use super::sessions::Delivery;
use super::tls::{self, Clients, Stream};
use crate::support::authority::{Authority, Pair};
use crate::support::process::command;

const MOST_EVENT: usize = 256 * 1024;
const MOST_STATE: usize = 64 * 1024;
/// The longest that a token may last, and by how much clocks may differ, in seconds.
const LONGEST: u64 = 24 * 3600;
const SKEW: u64 = 600;
/// What MQTT 3.1.1 calls "not authorized".
const UNAUTHORISED: u8 = 5;

/// A registry with one device.
pub(crate) struct Registry {
    pub(crate) host: String,
    pub(crate) project: String,
    /// The path of the registry: `projects/…/locations/…/registries/…`.
    pub(crate) path: String,
    pub(crate) device: String,
    pub(crate) key: PublicKey,
    /// The device's configuration.
    pub(crate) config: Arc<Mutex<String>>,
}

/// What is registered for the device.
pub(crate) struct PublicKey {
    algorithm: &'static str,
    bytes: Vec<u8>,
}

impl PublicKey {
    /// Of this private key (PEM), by OpenSSL.
    pub(crate) fn of(private_key: &std::path::Path, algorithm: &'static str) -> Self {
        let openssl = |arguments: &[&str]| {
            let mut openssl: Command = command("openssl");
            let output = openssl.args(arguments).arg("-in").arg(private_key).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            output.stdout
        };
        let bytes = match algorithm {
            "RS256" => openssl(&["rsa", "-RSAPublicKey_out", "-outform", "DER"]),
            // the point, uncompressed, is at the end of the structure
            _ => openssl(&["ec", "-pubout", "-outform", "DER"]).split_off(26),
        };
        Self { algorithm, bytes }
    }

    fn verify(&self, text: &str, signature: &[u8]) -> Result<(), String> {
        let algorithm: &dyn signature::VerificationAlgorithm = match self.algorithm {
            "RS256" => &signature::RSA_PKCS1_2048_8192_SHA256,
            _ => &signature::ECDSA_P256_SHA256_FIXED,
        };
        UnparsedPublicKey::new(algorithm, &self.bytes)
            .verify(text.as_bytes(), signature)
            .map_err(|_| format!("a wrong signature of {} bytes", signature.len()))
    }
}

impl Registry {
    pub(crate) fn open(self, own: &Pair, clients: &Authority) -> Double {
        Double::start(self, tls::config(own, Clients::MayShow(clients), &[]))
    }

    /// Verifies a token, and returns for how long it is good.
    fn token(&self, text: &str) -> Result<Duration, String> {
        let parts: Vec<&str> = text.split('.').collect();
        let [header, claims, signature] = parts[..] else { return Err("no token".into()) };
        let decode = |part| {
            // without padding, which is an error
            URL_SAFE_NO_PAD.decode(part).map_err(|error| format!("base64url: {error}"))
        };
        let json = |part| -> Result<Value, String> {
            serde_json::from_slice(&decode(part)?).map_err(|error| error.to_string())
        };
        let (head, body) = (json(header)?, json(claims)?);
        if head["alg"] != self.key.algorithm || head["typ"] != "JWT" {
            return Err(format!("the header {head}"));
        }
        self.key.verify(&format!("{header}.{claims}"), &decode(signature)?)?;
        if body["aud"] != self.project {
            return Err(format!("the audience {}", body["aud"]));
        }
        let time = |name: &str| body[name].as_u64().ok_or(format!("no {name}"));
        let (from, until) = (time("iat")?, time("exp")?);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        if from > now + SKEW {
            return Err("a token of the future".into());
        }
        if until.saturating_sub(from) > LONGEST + SKEW {
            return Err("a token for too long".into());
        }
        match until.checked_sub(now) {
            Some(left) if left > 0 => Ok(Duration::from_secs(left)),
            _ => Err("a token that has ended".into()),
        }
    }

    fn identify(&self, connect: &Connect) -> Result<Duration, String> {
        if connect.client_id != format!("{}/devices/{}", self.path, self.device) {
            return Err(format!("the client id {:?}", connect.client_id));
        }
        if connect.will.is_some() {
            return Err("a last will".into());
        }
        let password = connect.password.as_deref().unwrap_or_default();
        self.token(str::from_utf8(password).map_err(|_| "a token that is no text")?)
    }
}

/// When the state was last said.
#[derive(Default)]
pub(crate) struct Visit {
    state: Option<Instant>,
}

impl Rules for Registry {
    type Visit = Visit;

    fn greet(&self, stream: &Stream) -> Result<(), Refused> {
        match stream.conn.server_name() {
            Some(name) if name == self.host => Ok(()),
            name => refuse(format!("SNI: {name:?}")),
        }
    }

    fn admit(&self, connect: &Connect, _: &Stream) -> Result<Admitted, (u8, Refused)> {
        let left = self.identify(connect).map_err(|why| (UNAUTHORISED, Refused(why)))?;
        let keepalive = if connect.keepalive == 0 { 1200 } else { connect.keepalive };
        Ok(Admitted {
            silence: Duration::from_millis(1500) * u32::from(keepalive),
            until: Some(Instant::now() + left),
            keeps: false,
        })
    }

    fn take(&self, _: &str, publish: &Publish, visit: &mut Visit) -> Result<Verdict, Refused> {
        let Publish { topic, payload, qos, .. } = publish;
        if *qos > 1 {
            return refuse("QoS 2");
        }
        let Some(own) = topic.strip_prefix(&format!("/devices/{}/", self.device)) else {
            return refuse(format!("the topic {topic:?}"));
        };
        let (most, verdict) = match own {
            "state" => {
                let last = visit.state.replace(Instant::now());
                if last.is_some_and(|last| last.elapsed() < Duration::from_secs(1)) {
                    return refuse("two states in a second");
                }
                (MOST_STATE, Verdict::Answered(Vec::new()))
            }
            own if own == "events" || own.starts_with("events/") => (MOST_EVENT, Verdict::Taken),
            _ => return refuse(format!("the topic {topic:?}")),
        };
        if payload.len() > most {
            return refuse(format!("a payload of {} bytes", payload.len()));
        }
        Ok(verdict)
    }

    /// The configuration, to who subscribes to it.
    fn welcome(&self, filters: &[(String, u8)]) -> Vec<Delivery> {
        let config = format!("/devices/{}/config", self.device);
        let wanted = filters.iter().any(|(filter, _)| *filter == config);
        let config = wanted.then(|| Delivery::new(config, &**self.config.lock().unwrap()));
        config.into_iter().collect()
    }

    fn subscribe(&self, _: &str, filters: &[(String, u8)]) -> Result<Vec<u8>, Refused> {
        let known =
            ["config", "commands/#", "errors"].map(|own| format!("/devices/{}/{own}", self.device));
        match filters.iter().find(|(filter, _)| !known.contains(filter)) {
            Some((filter, _)) => refuse(format!("the filter {filter:?}")),
            None => Ok(filters.iter().map(|(_, qos)| (*qos).min(1)).collect()),
        }
    }
}
