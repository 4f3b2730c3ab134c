use schemars::{JsonSchema, Schema};
use serde::Deserialize;

use super::Connect;
use crate::Sp;
use crate::profile::Source;
use crate::values::{Host, PublisherName};

/// Azure IoT Hub, over MQTT. The hub is named, or assigned by the Device Provisioning Service: `hub` or
/// `dps`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = one_hub)]
pub struct AzureIotHub {
    /// The hub's host name.
    #[serde(default)]
    pub hub: Option<Sp<Host>>,
    /// How the device proves who it is.
    pub auth: Sp<HubAuth>,
    /// The service that assigns a hub.
    #[serde(default)]
    pub dps: Option<Sp<Dps>>,
    /// The authorities to trust (PEM). Left out: those that Azure uses.
    #[serde(default)]
    pub ca: Option<Sp<Source>>,
    /// Where to connect instead.
    #[serde(default)]
    pub connect: Option<Connect>,
}

/// How a device proves to a hub who it is: exactly one of these.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HubAuth {
    /// A key from which tokens are made on the device.
    Sas(SasKey),
    /// A certificate of its own.
    X509(HubX509),
}

/// A symmetric key, in Base64 as the portal shows it: `key` or `group_key`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = one_key)]
pub struct SasKey {
    /// The device's own key.
    #[serde(default)]
    pub key: Option<Sp<Source>>,
    /// The key of an enrolment group, from which the device's own is derived before it goes onto the card.
    #[serde(default)]
    pub group_key: Option<Sp<Source>>,
}

/// A certificate and its key.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HubX509 {
    /// The device's certificate (PEM), its name being the device's id.
    pub certificate: Sp<Source>,
    /// The private key that belongs to it (PEM).
    pub private_key: Sp<Source>,
}

/// The Device Provisioning Service.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dps {
    /// The ID scope, such as `0ne00000000`.
    #[schemars(regex(pattern = "^0ne[0-9A-Fa-f]{8}$"), example = &"0ne00000000")]
    pub id_scope: Sp<String>,
    /// The registration id. Left out: the device's id.
    #[serde(default)]
    pub registration_id: Option<Sp<String>>,
    /// The service's host. Left out: `global.azure-devices-provisioning.net`.
    #[serde(default)]
    pub host: Option<Sp<Host>>,
}

/// Azure Event Hubs, over HTTPS, with a publisher of the device's own.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AzureEventHubs {
    /// The namespace's host name, such as `example.servicebus.windows.net`.
    pub namespace: Sp<Host>,
    /// The event hub.
    #[schemars(example = &"readings")]
    pub hub: Sp<String>,
    /// The publisher, whose token can be revoked alone. Left out: the device's id.
    #[serde(default)]
    pub publisher: Option<Sp<PublisherName>>,
    /// The name of the policy that the key belongs to.
    #[schemars(example = &"send")]
    pub policy: Sp<String>,
    /// The policy's key, from which tokens for this publisher are made.
    pub key: Sp<Source>,
    /// The authorities to trust (PEM). Left out: those that Azure uses.
    #[serde(default)]
    pub ca: Option<Sp<Source>>,
    /// Where to connect instead.
    #[serde(default)]
    pub connect: Option<Connect>,
}

/// What the checks say of a hub that is named and assigned, or neither, said to editors.
fn one_hub(schema: &mut Schema) {
    crate::schema::exactly_one(schema, &["hub", "dps"]);
}

/// What the checks say of two keys, or none, said to editors.
fn one_key(schema: &mut Schema) {
    crate::schema::exactly_one(schema, &["key", "group_key"]);
}
