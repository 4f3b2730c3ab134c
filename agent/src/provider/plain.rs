//! Any MQTT broker: the profile says it all.

use std::borrow::Cow;

use imgbuild_schema::card::{Access, Mqtt};

use super::{Door, Login, Silence};
use crate::tls::Roots;

pub(super) fn door<'a>(broker: &'a Mqtt, access: Access<'a>) -> Door<'a> {
    Door {
        access,
        login: Login::User {
            name: broker.username.as_deref().map(Cow::from),
            password: broker.password.as_deref(),
        },
        roots: Roots::Public,
        alpn: None,
        kept: false,
        silence: Silence::default(),
    }
}
