//! AWS IoT Core (AWS IoT Core developer guide, "Device communication protocols").

mod shadow;

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use imgbuild_schema::card::{Access, AwsIot};

use super::{Dialogue, Door, Login, Silence};
use crate::tls::Roots;

/// What MQTT with a client certificate is called on the port that also serves HTTPS.
const ALPN: &str = "x-amzn-mqtt-ca";

/// The port that serves several protocols.
const SHARED_PORT: u16 = 443;

/// Who signs endpoints named `…-ats…` (developer guide, "Server authentication"). The last one is in the
/// chains of trust of older stores.
const ROOTS: Roots = Roots::Named(&[
    "Amazon Root CA 1",
    "Amazon Root CA 2",
    "Amazon Root CA 3",
    "Amazon Root CA 4",
    "Starfield Services Root Certificate Authority - G2",
]);

/// The dialogue about a thing's shadow, if it has one.
pub(super) fn dialogue(aws: &AwsIot) -> Option<Box<dyn Dialogue>> {
    let shadow = aws.shadow.as_ref()?;
    let session = RandomState::new().build_hasher().finish();
    Some(Box::new(shadow::ShadowDialogue::new(&aws.thing, shadow, session)))
}

pub(super) fn door<'a>(aws: &'a AwsIot, access: Access<'a>) -> Door<'a> {
    let thing = access.client_id;
    let shadow = match aws.shadow {
        Some(_) => ", or iot:Publish, iot:Subscribe and iot:Receive on its shadow's",
        None => "",
    };
    Door {
        access,
        login: Login::NONE,
        roots: ROOTS,
        alpn: if access.port == SHARED_PORT { vec![ALPN] } else { Vec::new() },
        kept: aws.shadow.is_some(),
        will: None,
        silence: Silence {
            unauthorised: None,
            refused: Some(format!(
                "AWS IoT gives no reason: is the certificate active, is a policy attached to it, and does that allow iot:Connect as client/{thing}?"
            )),
            dropped: Some(format!(
                "AWS IoT gives no reason: the policy may not allow iot:Publish to the sensors' topics{shadow}, or something else connects as {thing}"
            )),
        },
    }
}

#[cfg(test)]
mod tests {
    use imgbuild_schema::card::{AwsIot, Cloud, Identity};

    use crate::provider::door;

    fn cloud(port: u16) -> Cloud {
        Cloud::AwsIot(AwsIot {
            endpoint: "a1b2c3-ats.iot.eu-west-1.amazonaws.com".into(),
            port,
            thing: "greenhouse-01".into(),
            shadow: None,
            ca: None,
            identity: Identity { certificate: "c.pem".into(), private_key: "k.pem".into() },
            connect: None,
        })
    }

    #[test]
    fn the_shared_port_is_asked_for_mqtt() {
        assert!(door(&cloud(8883)).alpn.is_empty());
        assert_eq!(door(&cloud(443)).alpn, ["x-amzn-mqtt-ca"]);
    }

    #[test]
    fn silence_is_explained_by_what_the_policy_must_allow() {
        let silence = door(&cloud(8883)).silence;
        assert!(silence.refused.unwrap().contains("iot:Connect as client/greenhouse-01"));
        assert!(silence.dropped.unwrap().contains("iot:Publish"));
    }
}
