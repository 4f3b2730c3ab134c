//! Why a connection fails, sorted out of the layers of libraries that wrap it.

use std::io;

use rumqttc::{ConnectReturnCode, ConnectionError, StateError, TlsError};

use super::dial::{Undialled, Unresolved};

/// Why there is no connection, or none any more.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The host has no address.
    #[error("looking up {host}: {error}")]
    Resolve {
        /// The host.
        host: String,
        /// What the resolver says.
        error: io::Error,
    },
    /// The token cannot be signed.
    #[error("signing a token: {0}")]
    Unsigned(rustls::Error),
    /// Nobody answers there.
    #[error("connecting: {0}")]
    Dial(io::Error),
    /// The TLS handshake failed, or the connection broke TLS.
    #[error("TLS: {0}")]
    Tls(rustls::Error),
    /// The broker knows the client and does not want it.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// The broker closed the connection before TLS was set up.
    #[error("closed in the TLS handshake")]
    ClosedInHandshake,
    /// The broker closed the connection.
    #[error("closed by the broker")]
    Closed,
    /// Connecting took too long.
    #[error("timeout")]
    Timeout,
    /// The broker does not answer any more.
    #[error("silent")]
    Silent,
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// Why a broker does not want a client (MQTT 3.1.1, table 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It does not speak this version.
    Version,
    /// It does not take this client id.
    ClientId,
    /// It is not available.
    Unavailable,
    /// User name or password are wrong.
    Credentials,
    /// The client may not connect.
    NotAuthorised,
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        let kind = error.kind();
        let Some(inner) = error.into_inner() else { return of_kind(kind) };
        let inner = match inner.downcast::<rustls::Error>() {
            Ok(error) => return Self::Tls(*error),
            Err(inner) => inner,
        };
        let inner = match inner.downcast::<Undialled>() {
            Ok(undialled) if undialled.0.kind() == io::ErrorKind::TimedOut => return Self::Timeout,
            Ok(undialled) => return Self::Dial(undialled.0),
            Err(inner) => inner,
        };
        match inner.downcast::<Unresolved>() {
            Ok(unresolved) => Self::Resolve { host: unresolved.0, error: unresolved.1 },
            Err(inner) => match of_kind(kind) {
                Self::Other(_) => Self::Other(inner.to_string()),
                error => error,
            },
        }
    }
}

fn of_kind(kind: io::ErrorKind) -> Error {
    use io::ErrorKind as Kind;
    match kind {
        Kind::UnexpectedEof
        | Kind::ConnectionReset
        | Kind::ConnectionAborted
        | Kind::BrokenPipe => Error::Closed,
        Kind::TimedOut => Error::Silent,
        kind => Error::Other(kind.to_string()),
    }
}

impl From<ConnectionError> for Error {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::ConnectionRefused(code) => refusal(code),
            ConnectionError::Tls(TlsError::Io(error)) => match error.into() {
                Self::Closed => Self::ClosedInHandshake,
                error => error,
            },
            ConnectionError::Io(error)
            | ConnectionError::MqttState(
                StateError::Io(error) | StateError::Deserialization(rumqttc::Error::Io(error)),
            ) => error.into(),
            ConnectionError::Tls(TlsError::TLS(error)) => Self::Tls(error),
            ConnectionError::MqttState(StateError::ConnectionAborted)
            | ConnectionError::RequestsDone => Self::Closed,
            ConnectionError::MqttState(StateError::AwaitPingResp)
            | ConnectionError::FlushTimeout => Self::Silent,
            ConnectionError::NetworkTimeout => Self::Timeout,
            error => Self::Other(error.to_string()),
        }
    }
}

fn refusal(code: ConnectReturnCode) -> Error {
    Error::Refused(match code {
        ConnectReturnCode::RefusedProtocolVersion => Refusal::Version,
        ConnectReturnCode::BadClientId => Refusal::ClientId,
        ConnectReturnCode::ServiceUnavailable => Refusal::Unavailable,
        ConnectReturnCode::BadUserNamePassword => Refusal::Credentials,
        ConnectReturnCode::NotAuthorized => Refusal::NotAuthorised,
        ConnectReturnCode::Success => return Error::Other("accepted and refused at once".into()),
    })
}
