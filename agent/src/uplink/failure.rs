//! Why the connection failed, in the words of somebody who has to mend it.

use rustls::{AlertDescription, CertificateError, Error as Tls};

use super::session::Lost;
use crate::clock::Utc;
use crate::mqtt::{Error, Options, Refusal};
use crate::provider::Silence;

/// What went wrong and what to do about it. Two failures of one cause are the same news.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong: the same text each time.
    pub cause: String,
    /// What to do about it; may differ from time to time.
    pub hint: Option<String>,
}

/// What has to be known to judge an error.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// How it was tried.
    pub options: &'a Options,
    /// Whether the device has a certificate to show.
    pub has_identity: bool,
    /// What the cloud means when it closes without a word.
    pub silence: &'a Silence,
    /// What the clock says.
    pub now: Utc,
}

/// Puts an error in words.
pub fn classify(lost: &Lost, setting: &Setting<'_>) -> Failure {
    let (cause, hint) = match lost {
        Lost::NotConnected(error) => not_connected(error, setting),
        Lost::Connection(error) => connection(error, setting),
        Lost::Unacknowledged(time) => (
            format!("the broker has not acknowledged a message within {time:?}"),
            Some("the network loses packets, or the broker is overloaded".to_owned()),
        ),
    };
    Failure { cause, hint }
}

type Words = (String, Option<String>);

fn with_hint(cause: impl Into<String>, hint: impl Into<String>) -> Words {
    (cause.into(), Some(hint.into()))
}

fn not_connected(error: &Error, setting: &Setting<'_>) -> Words {
    let options = setting.options;
    let at = format!("{}:{}", options.dial.0, options.dial.1);
    match error {
        Error::Dial(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => with_hint(
            format!("connection refused by {at}"),
            "is the broker running, and is this its port?",
        ),
        Error::Dial(error) => with_hint(
            format!("no way to {at}: {error}"),
            "check the network and the broker's address",
        ),
        Error::Timeout => with_hint(
            format!("no answer from {at} within {:?}", options.connect_timeout),
            "a firewall may be in the way, or the address may be another machine's",
        ),
        Error::Closed if options.tls.is_none() => with_hint(
            "the broker closed the connection before it said whether it accepts us",
            "it may expect TLS on this port",
        ),
        Error::Closed => with_hint(
            "the broker closed the connection before it said whether it accepts us",
            setting.silence.refused.as_deref().unwrap_or(closed_hint(setting.has_identity)),
        ),
        Error::ClosedInHandshake => with_hint(
            "the broker closed the connection during the TLS handshake",
            "is this the broker's port for TLS (8883)? If it is, its log says why",
        ),
        error => connection(error, setting),
    }
}

fn closed_hint(has_identity: bool) -> &'static str {
    if has_identity {
        "it may not know this certificate, or not allow it this client id"
    } else {
        "it may ask for a certificate, and the profile has none"
    }
}

fn connection(error: &Error, setting: &Setting<'_>) -> Words {
    match error {
        Error::Resolve { host, error } => with_hint(
            format!("the name {host} has no address"),
            format!("check its spelling and the network's DNS ({})", resolver_words(error)),
        ),
        Error::Tls(error) => tls(error, setting),
        Error::Unsigned(error) => (format!("no token can be signed: {error}"), None),
        Error::Refused(refusal) => refused(*refusal, setting),
        Error::Closed | Error::ClosedInHandshake => with_hint(
            "the broker closed the connection",
            setting.silence.dropped.as_deref().unwrap_or(
                "another device with this client id makes brokers do so; else its log says why",
            ),
        ),
        Error::Silent => {
            with_hint("the broker does not answer any more", "the network may be gone")
        }
        Error::Timeout => ("the broker did not answer in time".to_owned(), None),
        Error::Dial(error) => (format!("connecting: {error}"), None),
        Error::Other(text) => (text.clone(), None),
    }
}

/// What the resolver says, without the library's preface.
fn resolver_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.rsplit("failed to lookup address information: ").next().unwrap_or(&text).to_owned()
}

fn refused(refusal: Refusal, setting: &Setting<'_>) -> Words {
    let options = setting.options;
    let user = options.login.name();
    match refusal {
        Refusal::Credentials => with_hint(
            "the broker refuses user name or password",
            match user {
                Some(user) => format!("it was tried as `{user}`"),
                None => "the profile has no user name".to_owned(),
            },
        ),
        Refusal::NotAuthorised => with_hint(
            format!("the broker does not allow the client `{}`", options.client_id),
            match (&setting.silence.unauthorised, user) {
                (Some(meaning), _) => format!("{meaning} (the clock here says {})", setting.now),
                (None, Some(user)) => format!("check the password of `{user}` and what it may do"),
                (None, None) => "check what this certificate or client may do, and whether a user name is asked for".to_owned(),
            },
        ),
        Refusal::ClientId => with_hint(
            format!("the broker does not take the client id `{}`", options.client_id),
            "some take only letters and digits, some only ids they know",
        ),
        Refusal::Unavailable => {
            with_hint("the broker says that it is not available", "it will be tried again")
        }
        Refusal::Version => with_hint(
            "the broker does not speak MQTT 3.1.1",
            "this agent speaks no other version",
        ),
    }
}

fn tls(error: &Tls, setting: &Setting<'_>) -> Words {
    match error {
        Tls::InvalidCertificate(error) => certificate(error, setting),
        Tls::AlertReceived(alert) => alert_words(*alert, setting),
        Tls::InvalidMessage(_) => with_hint(
            "what answers there does not speak TLS",
            "is this the broker's port for TLS (8883)?",
        ),
        error => (format!("TLS: {error}"), None),
    }
}

fn certificate(error: &CertificateError, setting: &Setting<'_>) -> Words {
    let clock = format!("the clock here says {}", setting.now);
    match error {
        CertificateError::UnknownIssuer => with_hint(
            "the broker's certificate is from an authority that the profile does not trust",
            "set `tls: {ca: …}` to the authority that signed it",
        ),
        CertificateError::NotValidForNameContext { presented, .. } => with_hint(
            format!(
                "the broker's certificate is for {}, and not for {}",
                names(presented),
                setting.options.host
            ),
            "write the name as the certificate bears it, or have one made for this name",
        ),
        CertificateError::NotValidForName => {
            (format!("the broker's certificate is not for {}", setting.options.host), None)
        }
        CertificateError::ExpiredContext { not_after, .. } => with_hint(
            format!("the broker's certificate expired at {}", moment(*not_after)),
            format!("renew it at the broker ({clock})"),
        ),
        CertificateError::NotValidYetContext { not_before, .. } => with_hint(
            format!("the broker's certificate is not valid before {}", moment(*not_before)),
            format!("{clock}: if that is wrong, let the device reach a time server"),
        ),
        error => (format!("the broker's certificate is not good: {error}"), None),
    }
}

/// The names in a certificate, out of the library's `DnsName("…")`.
fn names(presented: &[String]) -> String {
    let bare = |name: &String| name.split('"').nth(1).unwrap_or(name).to_owned();
    match presented {
        [] => "no name at all".to_owned(),
        names => names.iter().map(bare).collect::<Vec<_>>().join(", "),
    }
}

fn moment(time: rustls::pki_types::UnixTime) -> Utc {
    Utc(std::time::Duration::from_secs(time.as_secs()))
}

fn alert_words(alert: AlertDescription, setting: &Setting<'_>) -> Words {
    use AlertDescription as Alert;
    let refused = |why: &str, hint: &str| {
        with_hint(format!("the broker refuses our certificate: {why}"), hint)
    };
    match alert {
        Alert::CertificateRequired | Alert::HandshakeFailure if !setting.has_identity => with_hint(
            "the broker asks for a certificate, and the profile has none",
            "set `certificate` and `private_key`",
        ),
        Alert::CertificateRequired => refused("it has seen none", "check its log"),
        Alert::UnknownCA => refused(
            "it does not know who signed it",
            "give the broker the authority that signed it",
        ),
        Alert::CertificateExpired => refused("it has expired", "renew it and build the card again"),
        Alert::CertificateRevoked => refused("it has been revoked", "issue another one"),
        Alert::BadCertificate | Alert::UnsupportedCertificate | Alert::CertificateUnknown => {
            refused("it cannot be used", "check that it is registered, active and for clients")
        }
        Alert::AccessDenied => refused("access denied", "check what the certificate may do"),
        Alert::ProtocolVersion => (
            "the broker speaks neither TLS 1.2 nor 1.3".to_owned(),
            Some("have it updated".to_owned()),
        ),
        Alert::UnrecognisedName => (
            format!("the broker does not know the name {}", setting.options.host),
            Some("write the name that it was given".to_owned()),
        ),
        alert => (format!("the broker broke off the TLS handshake: {alert:?}"), None),
    }
}

#[cfg(test)]
mod tests;
