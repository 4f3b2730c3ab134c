//! How to connect.

use std::sync::Arc;
use std::time::Duration;

use imgbuild_schema::values::Secret;
use rustls::ClientConfig;

use super::Message;
use crate::token::Mint;

/// How to connect.
#[derive(Clone, Debug)]
pub struct Options {
    /// The broker's name, which its certificate must bear.
    pub host: String,
    /// Host and port to connect to, which may be another.
    pub dial: (String, u16),
    /// The client id.
    pub client_id: String,
    /// What is said beside the certificate, if there is one.
    pub login: Login,
    /// How the connection is secured; none: in clear.
    pub tls: Option<Arc<ClientConfig>>,
    /// How long the connection may be silent before the broker is asked for a sign of life.
    pub keepalive: Duration,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// Whether the broker keeps what it has for this client while it is away.
    pub kept: bool,
    /// What the broker publishes once the client is gone without a word.
    pub will: Option<Message>,
}

/// How to log in.
#[derive(Clone, Debug, Default)]
pub enum Login {
    /// Not at all.
    #[default]
    Nobody,
    /// By a name, and a password if one is asked for.
    User {
        /// The name.
        name: String,
        /// The password.
        password: Option<Secret>,
    },
    /// By a name and a token that is made for each connection.
    Token {
        /// The name.
        name: String,
        /// What makes it.
        mint: Arc<dyn Mint>,
    },
}

impl Login {
    /// The user name.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Nobody => None,
            Self::User { name, .. } | Self::Token { name, .. } => Some(name),
        }
    }
}
