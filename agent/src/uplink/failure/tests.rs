use std::io;
use std::time::Duration;

use rustls::pki_types::{ServerName, UnixTime};

use super::*;
use crate::mqtt::Login;

fn options() -> Options {
    Options {
        host: "broker.example".into(),
        dial: ("10.0.2.2".into(), 8883),
        client_id: "greenhouse-01".into(),
        login: Login::User { name: "sensor".into(), password: None },
        tls: None,
        keepalive: Duration::from_mins(1),
        connect_timeout: Duration::from_secs(10),
        kept: false,
        will: None,
    }
}

fn words(lost: &Lost) -> String {
    let options = options();
    let now = Utc(Duration::from_secs(1_581_417_910));
    let silence = &Silence::default();
    let failure = classify(lost, &Setting { options: &options, has_identity: false, silence, now });
    format!("{} ({})", failure.cause, failure.hint.unwrap_or_default())
}

fn certificate_words(error: CertificateError) -> String {
    words(&Lost::NotConnected(Error::Tls(Tls::InvalidCertificate(error))))
}

fn seconds(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

#[test]
fn certificates_are_named_by_what_is_wrong_with_them() {
    let dates = (seconds(1_581_417_910), seconds(1_581_500_000));
    for (error, expected) in [
        (CertificateError::UnknownIssuer, "from an authority that the profile does not trust"),
        (
            CertificateError::NotValidForNameContext {
                expected: ServerName::try_from("broker.example").unwrap(),
                presented: vec![
                    "DnsName(\"other.example\")".into(),
                    "DnsName(\"*.example\")".into(),
                ],
            },
            "is for other.example, *.example, and not for broker.example",
        ),
        (
            CertificateError::ExpiredContext { time: dates.1, not_after: dates.0 },
            "expired at 2020-02-11 10:45 UTC (renew it at the broker (the clock here says 2020-02-11 10:45 UTC)",
        ),
        (
            CertificateError::NotValidYetContext { time: dates.0, not_before: dates.1 },
            "is not valid before 2020-02-12 09:33 UTC (the clock here says 2020-02-11 10:45 UTC: if that is wrong",
        ),
    ] {
        let words = certificate_words(error);
        assert!(words.contains(expected), "{words}");
    }
}

#[test]
fn the_network_is_named_by_what_does_not_answer() {
    let host = "broker.example".to_owned();
    let io = |kind| io::Error::from(kind);
    for (error, expected) in [
        (Error::Dial(io(io::ErrorKind::ConnectionRefused)), "connection refused by 10.0.2.2:8883"),
        (Error::Dial(io(io::ErrorKind::NetworkUnreachable)), "no way to 10.0.2.2:8883"),
        (Error::Timeout, "no answer from 10.0.2.2:8883 within 10s"),
        (
            Error::Resolve {
                host,
                error: io::Error::other("failed to lookup address information: Try again"),
            },
            "the name broker.example has no address (check its spelling and the network's DNS (Try again))",
        ),
        (Error::Closed, "it may expect TLS on this port"),
    ] {
        let words = words(&Lost::NotConnected(error));
        assert!(words.contains(expected), "{words}");
    }
}

#[test]
fn the_broker_is_quoted() {
    for (refusal, expected) in [
        (Refusal::Credentials, "refuses user name or password (it was tried as `sensor`)"),
        (Refusal::NotAuthorised, "does not allow the client `greenhouse-01`"),
        (Refusal::ClientId, "does not take the client id `greenhouse-01`"),
        (Refusal::Unavailable, "says that it is not available"),
        (Refusal::Version, "does not speak MQTT 3.1.1"),
    ] {
        let words = words(&Lost::NotConnected(Error::Refused(refusal)));
        assert!(words.contains(expected), "{words}");
    }
    for (alert, expected) in [
        (AlertDescription::CertificateRequired, "asks for a certificate, and the profile has none"),
        (AlertDescription::UnknownCA, "refuses our certificate: it does not know who signed it"),
        (AlertDescription::CertificateExpired, "refuses our certificate: it has expired"),
        (AlertDescription::InternalError, "broke off the TLS handshake: InternalError"),
    ] {
        let words = words(&Lost::NotConnected(Error::Tls(Tls::AlertReceived(alert))));
        assert!(words.contains(expected), "{words}");
    }
    let words = words(&Lost::Unacknowledged(Duration::from_secs(5)));
    assert!(words.contains("has not acknowledged a message within 5s"), "{words}");
}
