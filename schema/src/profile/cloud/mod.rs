mod aws;
mod azure;
mod google;
mod mqtt;

use serde::Deserialize;

pub use aws::{AwsIot, Shadow};
pub use azure::{AzureEventHubs, AzureIotHub, Dps, HubAuth, HubX509, SasKey};
pub use google::{GoogleIotCore, GooglePubsub};
pub use mqtt::{Mqtt, Tls, TlsSettings};
use schemars::JsonSchema;

use super::Source;
use crate::Sp;
use crate::values::Endpoint;

/// Where readings go: exactly one of these.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cloud {
    /// AWS IoT Core.
    AwsIot(AwsIot),
    /// Azure IoT Hub, directly or by way of its Device Provisioning Service.
    AzureIotHub(AzureIotHub),
    /// Azure Event Hubs, over HTTPS.
    AzureEventHubs(AzureEventHubs),
    /// The protocol of Google Cloud IoT Core, which ClearBlade speaks today.
    GoogleIotCore(GoogleIotCore),
    /// Google Cloud Pub/Sub, over HTTPS.
    GooglePubsub(GooglePubsub),
    /// Any MQTT 3.1.1 broker.
    Mqtt(Mqtt),
}

impl Cloud {
    /// The cloud as a profile names it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AwsIot(_) => "aws-iot",
            Self::AzureIotHub(_) => "azure-iot-hub",
            Self::AzureEventHubs(_) => "azure-event-hubs",
            Self::GoogleIotCore(_) => "google-iot-core",
            Self::GooglePubsub(_) => "google-pubsub",
            Self::Mqtt(_) => "mqtt",
        }
    }

    /// The most bytes that a topic has where the cloud takes fewer than MQTT: AWS IoT Core, by its quotas.
    pub(crate) const fn longest_topic(&self) -> Option<usize> {
        match self {
            Self::AwsIot(_) => Some(256),
            _ => None,
        }
    }
}

/// Where to connect and whom to trust instead of the cloud's own: a gateway, a private endpoint, a test
/// double. Names, audiences and topics stay the cloud's.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Connect {
    /// The host and port.
    pub address: Sp<Endpoint>,
    /// The authorities to trust there (PEM). Left out: those of the cloud.
    #[serde(default)]
    pub ca: Option<Sp<Source>>,
}
