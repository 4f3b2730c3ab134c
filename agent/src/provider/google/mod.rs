//! The protocol of Google Cloud IoT Core ("Publishing over the MQTT bridge" of its documentation), which
//! ClearBlade speaks.

mod config;

use imgbuild_schema::card::{Access, GoogleIotCore};

use super::{Dialogue, Door, Login, Silence};
use crate::tls::Roots;

/// The bridge reads no user name, and some clients leave out a password without one.
const NAME: &str = "unused";

/// The dialogue about a device's configuration.
pub(super) fn dialogue(google: &GoogleIotCore) -> Box<dyn Dialogue> {
    Box::new(config::RegistryDialogue::new(&google.device))
}

pub(super) fn door<'a>(google: &'a GoogleIotCore, access: Access<'a>) -> Door<'a> {
    let GoogleIotCore { project, device, .. } = google;
    Door {
        access,
        login: Login::Jwt {
            name: NAME,
            audience: project,
            key: &google.private_key,
            algorithm: google.algorithm,
            life: google.life.get(),
        },
        roots: Roots::Public,
        alpn: Vec::new(),
        kept: false,
        will: None,
        silence: Silence {
            unauthorised: Some(format!(
                "is {device} in this registry, not blocked, with the public half of this key and its algorithm, and is the clock right?"
            )),
            refused: Some(format!(
                "the bridge gives no reason: is {device} in this registry, with the public half of this key?"
            )),
            dropped: Some(format!(
                "the bridge gives no reason: the registry may have no topic for events, or something else connects as {device}"
            )),
        },
    }
}

/// Where a device's readings go: its events, in a folder by the topic that the profile gives them. The device is
/// named already, and is left out where the topic begins with it.
pub(super) fn topic(google: &GoogleIotCore, topic: &str) -> String {
    let device = &google.device;
    let own = topic.strip_prefix(device).and_then(|rest| rest.strip_prefix('/'));
    match own.unwrap_or(topic) {
        "" => format!("/devices/{device}/events"),
        folder => format!("/devices/{device}/events/{folder}"),
    }
}

#[cfg(test)]
mod tests {
    use imgbuild_schema::values::Algorithm;

    use super::*;

    #[test]
    fn events_are_in_a_folder_by_their_topic() {
        let google = GoogleIotCore {
            host: "europe-west1-mqtt.clearblade.com".into(),
            port: 8883,
            project: "greenhouses".into(),
            device: "greenhouse-01".into(),
            client_id: "projects/greenhouses/…".into(),
            algorithm: Algorithm::Es256,
            private_key: "key".into(),
            life: GoogleIotCore::default_life(),
            ca: None,
            connect: None,
        };
        for (given, topic) in [
            ("greenhouse-01/air", "/devices/greenhouse-01/events/air"),
            ("greenhouse-01/north/air", "/devices/greenhouse-01/events/north/air"),
            ("greenhouse-011/air", "/devices/greenhouse-01/events/greenhouse-011/air"),
            ("air", "/devices/greenhouse-01/events/air"),
        ] {
            assert_eq!(super::topic(&google, given), topic);
        }
    }
}
