//! Any MQTT broker: the profile says it all.

mod commands;

use std::borrow::Cow;

use imgbuild_schema::card::{Access, Mqtt};
use imgbuild_schema::values::Protocol;

use super::{Dialogue, Door, Login, Silence};
use crate::tls::Roots;

/// The dialogue about commands and about whether the device is there, if the profile wants either.
pub(super) fn dialogue(broker: &Mqtt) -> Option<Box<dyn Dialogue>> {
    let wanted = broker.commands.is_some() || broker.status.is_some();
    wanted.then(|| Box::new(commands::BrokerDialogue::new(broker)) as Box<dyn Dialogue>)
}

pub(super) fn door<'a>(broker: &'a Mqtt, access: Access<'a>) -> Door<'a> {
    let alpn = broker.tls.as_ref().map_or(&[][..], |tls| &tls.alpn);
    Door {
        access,
        login: Login::User {
            name: broker.username.as_deref().map(Cow::from),
            password: broker.password.as_deref(),
        },
        roots: Roots::Public,
        alpn: alpn.iter().map(Protocol::as_str).collect(),
        kept: broker.commands.is_some(),
        will: broker.status.as_ref().map(|topic| commands::status(topic, "offline")),
        silence: Silence::default(),
    }
}
