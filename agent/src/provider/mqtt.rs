//! Any MQTT broker: the profile says it all.

use imgbuild_schema::card::{Access, Mqtt};

use super::{Door, Silence};
use crate::tls::Roots;

pub(super) fn door<'a>(broker: &'a Mqtt, access: Access<'a>) -> Door<'a> {
    Door {
        access,
        username: broker.username.as_deref(),
        password: broker.password.as_deref(),
        roots: Roots::Public,
        alpn: None,
        silence: Silence::default(),
    }
}
