//! `imgbuild-agent check`: what the agent would do, said without doing it.

use std::fmt::Write as _;
use std::path::Path;

use imgbuild_schema::CardProfile;
use imgbuild_schema::card::{self, Access};

use crate::clock::Utc;
use crate::config::Credentials;
use crate::fault::Fault;
use crate::mqtt;
use crate::provider::{self, Door};
use crate::redirect;
use crate::tls::{Identity, Roots};

/// What would be done, line by line, and everything that stands against it.
pub fn check(profile: &CardProfile, root: &Path, now: Utc) -> (String, Vec<Fault>) {
    let door = provider::door(&profile.cloud);
    let Access { cloud, host, port, client_id, .. } = door.access;
    let mut lines = Lines::default();
    let mut faults = Vec::new();
    lines.put("device", &profile.device.id);
    lines.put("cloud", format!("{cloud} at {host}:{port}, as client `{client_id}`"));
    match redirect::from_command_line(root) {
        Ok(Some(redirect)) => {
            lines.put("address", format!("{} (kernel's command line)", redirect.address));
        }
        Ok(None) => {
            if let Some(address) = door.access.address() {
                lines.put("address", address);
            }
        }
        Err(fault) => faults.push(fault),
    }
    match Credentials::read(&door) {
        Ok(credentials) => faults.extend(describe(&door, &credentials, now, &mut lines)),
        Err(wrong) => faults.extend(wrong),
    }
    describe_telemetry(profile, &mut lines);
    (lines.0, faults)
}

fn describe(
    door: &Door<'_>,
    credentials: &Credentials,
    now: Utc,
    lines: &mut Lines,
) -> Option<Fault> {
    match (door.access.trusted(), &credentials.authorities) {
        _ if !door.access.secured => lines.put("TLS", "none: everything goes in clear"),
        (Some(path), Some(authorities)) => {
            let count = authorities_in_words(authorities.len());
            lines.put("TLS", format!("trusts {count} from {}", path.display()));
        }
        _ => lines.put("TLS", trusted_in_words(door.roots)),
    }
    if !door.alpn.is_empty() {
        lines.put("", format!("asks for the protocol {}", door.alpn.join(" or ")));
    }
    if let Some(name) = credentials.login.name() {
        let how = match &credentials.login {
            mqtt::Login::Token { .. } => "with tokens that are made here",
            mqtt::Login::User { password: Some(_), .. } => "with a password",
            _ => "without a password",
        };
        lines.put("user name", format!("{name}, {how}"));
    }
    describe_identity(door.access.identity?, credentials.identity.as_ref()?, now, lines)
}

fn trusted_in_words(roots: Roots) -> String {
    match roots {
        Roots::Public => "trusts the public authorities".to_owned(),
        Roots::Named(names) => format!("trusts {}", names.join(", ")),
    }
}

fn authorities_in_words(count: usize) -> String {
    if count == 1 { "one authority".to_owned() } else { format!("{count} authorities") }
}

fn describe_identity(
    files: &card::Identity,
    identity: &Identity,
    now: Utc,
    lines: &mut Lines,
) -> Option<Fault> {
    let validity = identity.validity()?;
    lines.put("certificate", files.certificate.display());
    lines.put("", format!("valid from {} until {}", validity.from, validity.until));
    lines
        .put("private key", format!("{}, belongs to the certificate", files.private_key.display()));
    let clock = format!("the clock here says {now}");
    if validity.until < now {
        let expired = format!("the device's certificate expired at {}", validity.until);
        Some(Fault::profile(expired).hint(format!("renew it and build the card again ({clock})")))
    } else if now < validity.from {
        let early = format!("the device's certificate is not valid before {}", validity.from);
        Some(Fault::profile(early).hint(format!("{clock}; is that right?")))
    } else {
        None
    }
}

fn describe_telemetry(profile: &CardProfile, lines: &mut Lines) {
    let telemetry = &profile.telemetry;
    let qos = match telemetry.qos {
        imgbuild_schema::values::QoS::AtMostOnce => "at most once (QoS 0)",
        imgbuild_schema::values::QoS::AtLeastOnce => "at least once (QoS 1)",
        imgbuild_schema::values::QoS::ExactlyOnce => "exactly once (QoS 2)",
    };
    lines.put("delivery", format!("{qos}, up to {} waiting", telemetry.queue.max_bytes));
    for sensor in &profile.sensors {
        let place = sensor.driver.i2c();
        let place = place.first();
        let place = place.map_or(String::new(), |(bus, address)| format!(" on {bus} at {address}"));
        lines.put(
            "sensor",
            format!(
                "{}: {}{place}, every {}, to {}",
                sensor.id,
                sensor.driver.name(),
                sensor.interval,
                sensor.topic
            ),
        );
    }
}

/// Lines of a name and what there is to say about it.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn put(&mut self, name: &str, text: impl std::fmt::Display) {
        let _ = writeln!(self.0, "{name:<12} {text}");
    }
}
