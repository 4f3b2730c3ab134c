//! AWS IoT Core as a device meets it: its limits (AWS General Reference, "AWS IoT Core endpoints and
//! quotas") and what it makes of MQTT (developer guide, "MQTT"). It gives no reasons: it closes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::packet::{Connect, Publish};
use super::server::{Admitted, Double, Refused, Rules, SILENT, Verdict, refuse};
use super::shadow::Shadows;
use super::tls::{self, Clients, Stream};
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
#[derive(Clone, Debug, Default)]
pub(crate) struct Policy {
    /// A document in place of all the rest.
    pub(crate) document: Option<Value>,
    /// As whom it may connect (`iot:Connect` on `client/…`), a `*` at the end standing for anything.
    pub(crate) client: String,
    /// How the topics begin that it may publish to (`iot:Publish` on `topic/…*`).
    pub(crate) topics: String,
    /// The thing whose shadows it may use.
    pub(crate) shadow_of: Option<String>,
}

/// What an account is.
pub(crate) struct Account {
    /// The endpoint's name.
    pub(crate) endpoint: String,
    /// Whether this is port 443, which serves several protocols.
    pub(crate) shared_port: bool,
    pub(crate) policy: Policy,
    pub(crate) shadows: Arc<Shadows>,
}

impl Account {
    pub(crate) fn open(self, own: &Pair, clients: &Authority) -> Double {
        let alpn: &[&str] = if self.shared_port { &[ALPN] } else { &[] };
        let config = tls::config(own, Clients::MustShow(clients), alpn);
        Double::start(self, config)
    }
}

impl Rules for Account {
    type Visit = Rate;

    fn greet(&self, stream: &Stream) -> Result<(), Refused> {
        match stream.conn.server_name() {
            Some(name) if name == self.endpoint => {}
            name => return refuse(format!("SNI: {name:?}")),
        }
        if self.shared_port && stream.conn.alpn_protocol() != Some(ALPN.as_bytes()) {
            return refuse("ALPN: none");
        }
        Ok(())
    }

    fn admit(&self, connect: &Connect, _: &Stream) -> Result<Admitted, (u8, Refused)> {
        let id = &connect.client_id;
        if id.is_empty() || id.len() > MOST_CLIENT_ID || id.starts_with('$') {
            return Err((SILENT, Refused(format!("the client id {id:?}"))));
        }
        if !self.policy.allows("iot:Connect", "client", id) {
            return Err((SILENT, Refused(format!("policy: iot:Connect as {id}"))));
        }
        // 0 means the longest, less than the shortest means the shortest
        let keepalive = match connect.keepalive {
            0 | 1201.. => 1200,
            seconds => seconds.max(30),
        };
        let silence = Duration::from_millis(1500) * u32::from(keepalive);
        Ok(Admitted { silence, until: None, keeps: true })
    }

    fn take(&self, _: &str, publish: &Publish, rate: &mut Rate) -> Result<Verdict, Refused> {
        let Publish { topic, payload, qos, .. } = publish;
        if *qos > 1 {
            return refuse("QoS 2");
        }
        if payload.len() > MOST_PAYLOAD {
            return refuse(format!("a payload of {} bytes", payload.len()));
        }
        let ingested = topic.strip_prefix("$aws/rules/").and_then(|rest| rest.split_once('/'));
        if topic.starts_with('$') && ingested.is_none() {
            return self.ask(topic, payload);
        }
        // what is for a rule counts without its name
        let own = ingested.map_or(topic.as_str(), |(_, rest)| rest);
        if own.len() > MOST_TOPIC || own.matches('/').count() > MOST_SLASHES {
            return refuse(format!("the topic {topic:?}"));
        }
        if !self.policy.allows("iot:Publish", "topic", topic) {
            return refuse(format!("policy: iot:Publish to {topic}"));
        }
        Ok(if rate.is_exceeded() { Verdict::Discarded } else { Verdict::Taken })
    }

    fn subscribe(&self, _: &str, filters: &[(String, u8)]) -> Result<Vec<u8>, Refused> {
        if filters.len() > MOST_FILTERS {
            return refuse(format!("{} filters", filters.len()));
        }
        let may = |filter: &str| {
            self.policy.allows("iot:Subscribe", "topicfilter", filter)
                && self.policy.allows("iot:Receive", "topic", filter)
        };
        if let Some((filter, _)) = filters.iter().find(|(filter, _)| !may(filter)) {
            return refuse(format!("policy: iot:Subscribe to {filter}"));
        }
        Ok(filters.iter().map(|(_, qos)| (*qos).min(1)).collect())
    }
}

impl Account {
    /// Topics of the service's own: those of the thing's shadows.
    fn ask(&self, topic: &str, payload: &[u8]) -> Result<Verdict, Refused> {
        let Some((prefix, action)) = Shadows::split(topic) else {
            return refuse(format!("the unknown topic {topic:?}"));
        };
        if !self.policy.allows("iot:Publish", "topic", topic) {
            return refuse(format!("policy: iot:Publish to {topic}"));
        }
        Ok(Verdict::Answered(self.shadows.ask(prefix, action, payload)))
    }
}

impl Policy {
    /// Whether an action on a resource of a kind is allowed. In a document, what is not allowed is denied, and `*` stands for
    /// anything.
    fn allows(&self, action: &str, kind: &str, name: &str) -> bool {
        match (&self.document, kind) {
            (Some(document), _) => {
                let resource = format!("{kind}/{name}");
                let statements = document["Statement"].as_array().unwrap().iter();
                statements.filter(|it| it["Effect"] == "Allow" && it["Action"] == action).any(
                    |it| {
                        let resources = it["Resource"].as_array().unwrap().iter();
                        resources.map(|it| it.as_str().unwrap()).any(|it| is_meant(it, &resource))
                    },
                )
            }
            (None, "client") => match self.client.strip_suffix('*') {
                Some(prefix) => name.starts_with(prefix),
                None => name == self.client,
            },
            (None, _) => {
                let own = |thing| name.starts_with(&format!("$aws/things/{thing}/shadow"));
                name.starts_with(&self.topics) || self.shadow_of.as_ref().is_some_and(own)
            }
        }
    }
}

/// Whether the name of a resource, without region and account, is this one.
fn is_meant(arn: &str, resource: &str) -> bool {
    let own = arn.splitn(6, ':').nth(5).unwrap();
    match own.strip_suffix('*') {
        Some(prefix) => resource.starts_with(prefix),
        None => own == resource,
    }
}

/// Counts the messages of a second.
pub(crate) struct Rate {
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
