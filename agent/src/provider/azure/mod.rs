//! Azure IoT Hub ("Communicate with an IoT hub using the MQTT protocol", Microsoft's documentation of IoT
//! Hub).

mod twin;

use imgbuild_schema::card::{Access, AzureIotHub, HubAuth};

use super::{Dialogue, Door, Login, Silence};
use crate::percent;
use crate::tls::Roots;

/// The version of the hub's interface that this agent speaks.
const API_VERSION: &str = "2021-04-12";

/// Who signs the hubs' certificates ("Azure Certificate Authority details").
const ROOTS: Roots = Roots::Named(&[
    "DigiCert Global Root G2",
    "DigiCert Global Root G3",
    "Microsoft RSA Root Certificate Authority 2017",
    "Microsoft ECC Root Certificate Authority 2017",
]);

/// The dialogue about a device's twin.
pub(super) fn dialogue(hub: &AzureIotHub) -> Box<dyn Dialogue> {
    Box::new(twin::HubDialogue::new(&hub.device))
}

pub(super) fn door<'a>(hub: &'a AzureIotHub, access: Access<'a>) -> Door<'a> {
    let (host, device) = (&hub.hub, &hub.device);
    let name = format!("{host}/{device}/?api-version={API_VERSION}");
    let login = match &hub.auth {
        HubAuth::Sas(sas) => Login::Sas {
            name,
            resource: format!("{host}/devices/{device}"),
            key: &sas.key,
            life: sas.life.get(),
        },
        HubAuth::X509(_) => Login::User { name: Some(name.into()), password: None },
    };
    Door {
        access,
        login,
        roots: ROOTS,
        alpn: Vec::new(),
        kept: true,
        will: None,
        silence: Silence {
            unauthorised: Some(format!(
                "is {device} registered and enabled in this hub, is this its key or certificate, and is the clock right?"
            )),
            refused: Some(format!(
                "the hub gives no reason: is {device} registered and enabled there, and is this its key or certificate?"
            )),
            dropped: Some(format!(
                "the hub gives no reason: something else may connect as {device}, or the hub's quota is used up"
            )),
        },
    }
}

/// Where a device's messages go, with their properties: the message's id, by which a consumer knows one that
/// came twice; that it is JSON in UTF-8, without which the hub routes by no value in it; and the topic that
/// the profile gives it.
pub(super) fn topic(hub: &AzureIotHub, sequence: u64, topic: &str) -> String {
    let properties = [
        ("$.mid", sequence.to_string()),
        ("$.ct", "application/json".to_owned()),
        ("$.ce", "utf-8".to_owned()),
        ("topic", topic.to_owned()),
    ];
    let bag = properties
        .map(|(key, value)| format!("{}={}", percent::encode(key), percent::encode(&value)));
    format!("devices/{}/messages/events/{}", hub.device, bag.join("&"))
}

#[cfg(test)]
mod tests {
    use imgbuild_schema::card::{Cloud, HubKey};
    use imgbuild_schema::values::HumanDuration;

    use super::*;
    use crate::provider::door;

    fn hub() -> AzureIotHub {
        AzureIotHub {
            hub: "myiothub.azure-devices.net".into(),
            device: "my_device".into(),
            auth: HubAuth::Sas(HubKey { key: "k".into(), life: HumanDuration::from_secs(3600) }),
            ca: None,
            connect: None,
        }
    }

    /// Azure/azure-sdk-for-c, `sdk/tests/iot/hub/test_az_iot_hub_client.c`, with the version that is spoken here.
    #[test]
    fn the_user_name_is_the_hub_the_device_and_the_version() {
        let cloud = Cloud::AzureIotHub(hub());
        let Login::Sas { name, resource, .. } = door(&cloud).login else { panic!("no tokens") };
        assert_eq!(name, "myiothub.azure-devices.net/my_device/?api-version=2021-04-12");
        assert_eq!(resource, "myiothub.azure-devices.net/devices/my_device");
    }

    /// The encoding is that of Azure/azure-iot-sdk-python,
    /// `tests/unit/iothub/pipeline/test_mqtt_topic_iothub.py`.
    #[test]
    fn properties_are_encoded_keys_and_values() {
        assert_eq!(
            topic(&hub(), 1234, "greenhouse-01/cpu 1"),
            "devices/my_device/messages/events/%24.mid=1234&%24.ct=application%2Fjson&%24.ce=utf-8&topic=greenhouse-01%2Fcpu%201"
        );
    }
}
