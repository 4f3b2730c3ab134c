use schemars::JsonSchema;
use serde::Deserialize;

use super::Connect;
use crate::Sp;
use crate::profile::Source;
use crate::values::{Algorithm, Host};

/// The protocol of Google Cloud IoT Core, over MQTT with a token signed on the device. Google closed its own
/// service in 2023; ClearBlade speaks the protocol.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GoogleIotCore {
    /// The project's id, which is also the token's audience.
    #[schemars(example = &"greenhouses")]
    pub project: Sp<String>,
    /// The registry's region.
    #[schemars(example = &"europe-west1")]
    pub region: Sp<String>,
    /// The registry.
    #[schemars(example = &"sensors")]
    pub registry: Sp<String>,
    /// The bridge's host. Left out: ClearBlade's for the region.
    #[serde(default)]
    pub host: Option<Sp<Host>>,
    /// The port: 8883, or 443 where nothing else gets out. Left out: 8883.
    #[serde(default)]
    pub port: Option<Sp<u16>>,
    /// How tokens are signed, which the key must suit.
    #[serde(default)]
    pub algorithm: Sp<Algorithm>,
    /// The private key whose public half is registered for the device (PEM).
    pub private_key: Sp<Source>,
    /// The authorities to trust (PEM). Left out: those that browsers trust.
    #[serde(default)]
    pub ca: Option<Sp<Source>>,
    /// Where to connect instead.
    #[serde(default)]
    pub connect: Option<Connect>,
}

/// Google Cloud Pub/Sub, over HTTPS, as a service account.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GooglePubsub {
    /// The project's id.
    #[schemars(example = &"greenhouses")]
    pub project: Sp<String>,
    /// The topic's name in the project.
    #[schemars(example = &"readings")]
    pub topic: Sp<String>,
    /// The key of a service account that may publish there (JSON, as the console gives it).
    pub service_account: Sp<Source>,
    /// Where to connect instead.
    #[serde(default)]
    pub connect: Option<Connect>,
}
