use crate::profile::{Cloud, Mqtt, Source, Tls, TlsSettings};
use crate::{Code, Problem, Sp};

pub(super) fn check(cloud: &Cloud, problems: &mut Vec<Problem>) {
    let Cloud::Mqtt(mqtt) = cloud;
    host(&mqtt.host, problems);
    password(mqtt, problems);
    match &*mqtt.tls {
        Tls::On(tls) => identity(tls, problems),
        Tls::Off => authorities_without_tls(mqtt, problems),
    }
    if let Some(port) = &mqtt.port
        && **port == 0
    {
        problems.push(
            Problem::new(Code::InvalidValue, port.span(), "0 is not a port")
                .label("runs from 1 to 65535"),
        );
    }
    if let Some(client_id) = &mqtt.client_id
        && client_id.is_empty()
    {
        problems.push(
            Problem::new(Code::InvalidValue, client_id.span(), "an MQTT client id cannot be empty")
                .label("is empty")
                .help("leave `client_id` out: the device's id is used then"),
        );
    }
}

fn host(host: &Sp<String>, problems: &mut Vec<Problem>) {
    let refuse = |message: &str, help: &str| {
        Problem::new(Code::InvalidValue, host.span(), message)
            .label("is not a host's name")
            .help(help)
    };
    let odd = |c: char| c.is_whitespace() || c.is_control() || "/@\"'\\".contains(c);
    if host.contains("://") {
        problems.push(refuse(
            "a host's name has no `://`",
            "write the name alone; `tls` and `port` say the rest",
        ));
    } else if host.is_empty() || host.contains(odd) {
        problems.push(refuse(
            "this is neither a host's name nor an address",
            "write it like `broker.example.org`",
        ));
    } else if host.parse::<std::net::IpAddr>().is_err() && host.contains(':') {
        problems.push(refuse("a host's name has no port in it", "write the port under `port`"));
    }
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

fn authorities_without_tls(mqtt: &Mqtt, problems: &mut Vec<Problem>) {
    if let Some(ca) = mqtt.connect.as_ref().and_then(|connect| connect.ca.as_ref()) {
        problems.push(
            Problem::new(
                Code::Contradiction,
                ca.span(),
                "without TLS nobody's certificate is checked",
            )
            .label("would not be used")
            .help("leave out `ca`, or leave out `tls: false`"),
        );
    }
}
