use super::certificates::{self, Subject};
use crate::profile::{Mqtt, Profile, Source, Tls, TlsSettings};
use crate::{Code, Problem, Sp};

pub(super) fn check(mqtt: &Mqtt, profile: &Profile, now: u64, problems: &mut Vec<Problem>) {
    password(mqtt, problems);
    match &*mqtt.tls {
        Tls::On(tls) => {
            identity(tls, problems);
            certificates::authorities(tls.ca.as_ref(), now, problems);
            certificates::identity(
                tls.certificate.as_ref(),
                tls.private_key.as_ref(),
                Subject::Any,
                now,
                problems,
            );
            certificates::connect(mqtt.connect.as_ref(), now, problems);
            public_authority(mqtt, tls, problems);
        }
        Tls::Off => {
            authorities_without_tls(mqtt, problems);
            in_clear(mqtt, problems);
        }
    }
    if let Some(port) = mqtt.port.as_ref().filter(|port| ***port == 0) {
        problems.push(
            Problem::new(Code::InvalidValue, port.span(), "0 is not a port")
                .label("runs from 1 to 65535"),
        );
    }
    super::telemetry::keepalive(profile, 1, 65_535, "MQTT", problems);
}

/// MQTT 3.1.1, section 3.1.2.9: a password without a user name is not allowed.
fn password(mqtt: &Mqtt, problems: &mut Vec<Problem>) {
    if let (None, Some(password)) = (&mqtt.username, &mqtt.password) {
        problems.push(
            Problem::new(
                Code::Contradiction,
                password.span(),
                "MQTT takes no password without a user name",
            )
            .label("has no `username`")
            .help("add `username`"),
        );
    }
}

fn identity(tls: &TlsSettings, problems: &mut Vec<Problem>) {
    let mut alone = |there: &Sp<Source>, missing: &str| {
        problems.push(
            Problem::new(
                Code::BadCertificate,
                there.span(),
                format!("`{missing}` is missing beside this"),
            )
            .label("is of no use alone")
            .help("a device proves who it is with `certificate` and `private_key` together"),
        );
    };
    match (&tls.certificate, &tls.private_key) {
        (Some(certificate), None) => alone(certificate, "private_key"),
        (None, Some(key)) => alone(key, "certificate"),
        _ => {}
    }
}

/// No authority that browsers trust vouches for a name that only one network knows.
fn public_authority(mqtt: &Mqtt, tls: &TlsSettings, problems: &mut Vec<Problem>) {
    let own = tls.ca.is_some() || mqtt.connect.as_ref().is_some_and(|connect| connect.ca.is_some());
    if mqtt.host.is_local() && !own {
        problems.push(
            Problem::new(
                Code::Doubtful,
                mqtt.host.span(),
                format!("no public authority vouches for `{}`", *mqtt.host),
            )
            .label("is a name of your own network")
            .help(
                "add `tls: {ca: !file ca.pem}`, the authority that signed the broker's certificate",
            ),
        );
    }
}

fn authorities_without_tls(mqtt: &Mqtt, problems: &mut Vec<Problem>) {
    if let Some(ca) = mqtt.connect.as_ref().and_then(|connect| connect.ca.as_ref()) {
        problems.push(
            Problem::new(
                Code::Contradiction,
                ca.span(),
                "without TLS nobody's certificate is checked",
            )
            .label("would not be used")
            .related(mqtt.tls.span(), "TLS is off")
            .help("leave out `ca`, or leave out `tls: false`"),
        );
    }
}

fn in_clear(mqtt: &Mqtt, problems: &mut Vec<Problem>) {
    let what =
        if mqtt.password.is_some() { "the password and every reading" } else { "every reading" };
    problems.push(
        Problem::new(
            Code::Unsecured,
            mqtt.tls.span(),
            format!("{what} can be read, and changed, by whoever is on the way"),
        )
        .label("nothing is encrypted")
        .help("leave out `tls: false` where the broker speaks TLS"),
    );
}
