//! Any MQTT broker: the profile says it all.

use imgbuild_schema::card::{Access, Mqtt};

use super::{Door, Login, Silence};
use crate::tls::Roots;

pub(super) fn door<'a>(broker: &'a Mqtt, access: Access<'a>) -> Door<'a> {
    Door {
        access,
        login: match (&broker.username, broker.password.as_deref()) {
            (None, None) => Login::Nobody,
            // a password of nobody's is refused by whoever reads it
            (name, password) => {
                Login::User { name: name.as_deref().unwrap_or("").into(), password }
            }
        },
        roots: Roots::Public,
        alpn: None,
        silence: Silence::default(),
    }
}
