//! The protocol of Google Cloud IoT Core, and Pub/Sub, as Google's and ClearBlade's documents have them.

use super::certificates::{self, KeyKind};
use super::{cloud, telemetry};
use crate::profile::{GoogleIotCore, GooglePubsub, Profile};
use crate::values::Algorithm;
use crate::{Code, Problem};

/// Where Google's own service was, until 2023.
const CLOSED: [&str; 2] = ["mqtt.googleapis.com", "mqtt.2030.ltsapis.goog"];

pub(super) fn check_iot_core(
    google: &GoogleIotCore,
    profile: &Profile,
    now: u64,
    problems: &mut Vec<Problem>,
) {
    device_id(profile, problems);
    cloud::name(&google.project, "a project's id", "-:.", 63, problems);
    cloud::name(&google.region, "a region", "-", 63, problems);
    cloud::name(&google.registry, "a registry's name", "-._+~%", 255, problems);
    cloud::port(google.port.as_ref(), &[8883, 443], problems);
    if let Some(host) = google.host.as_ref().filter(|host| CLOSED.contains(&host.as_str())) {
        problems.push(
            Problem::new(
                Code::InvalidValue,
                host.span(),
                "Google closed this service in August 2023",
            )
            .label("answers no more")
            .help("leave `host` out for ClearBlade's, which speaks the same protocol"),
        );
    }
    let (kind, help) = match *google.algorithm {
        Algorithm::Es256 => {
            (KeyKind::P256, "make one with `openssl ecparam -genkey -name prime256v1 -noout`")
        }
        Algorithm::Rs256 => (KeyKind::Rsa, "make one with `openssl genrsa 2048`"),
    };
    certificates::signing_key(&google.private_key, kind, google.algorithm.span(), help, problems);
    certificates::authorities(google.ca.as_ref(), now, problems);
    certificates::connect(google.connect.as_ref(), now, problems);
    telemetry::keepalive(profile, 60, 1200, "ClearBlade", problems);
    telemetry::no_exactly_once(profile, "the protocol of IoT Core", problems);
    telemetry::rate(profile, 100.0, "a connection takes 100 messages a second", problems);
}

/// `[a-zA-Z][-a-zA-Z0-9._+~%]{2,254}`
fn device_id(profile: &Profile, problems: &mut Vec<Problem>) {
    let id = &profile.device.id;
    let text = id.as_str();
    if text.len() < 3 || !text.starts_with(|c: char| c.is_ascii_alphabetic()) || text.contains(':')
    {
        problems.push(
            Problem::new(
                Code::InvalidValue,
                id.span(),
                format!("a registry takes no device called `{text}`"),
            )
            .label("cannot be registered")
            .help(
                "a device there has three characters or more, begins with a letter, and has no `:`",
            ),
        );
    }
}

pub(super) fn check_pubsub(google: &GooglePubsub, now: u64, problems: &mut Vec<Problem>) {
    cloud::name(&google.project, "a project's id", "-:.", 63, problems);
    cloud::name(&google.topic, "a topic's name", "-._~+%", 255, problems);
    service_account(google, problems);
    certificates::connect(google.connect.as_ref(), now, problems);
}

/// The file that the console gives: JSON with at least these texts.
fn service_account(google: &GooglePubsub, problems: &mut Vec<Problem>) {
    let account = &google.service_account;
    let parsed: Result<serde_json::Value, _> = serde_json::from_str(account.text.expose());
    let text = |key: &str| parsed.as_ref().ok()?.get(key)?.as_str();
    let missing = ["client_email", "private_key", "private_key_id"]
        .into_iter()
        .find(|key| text(key).is_none_or(str::is_empty));
    let refuse = |message: String| {
        Problem::new(Code::InvalidValue, account.span(), message)
            .label("is no service account's key")
            .help("take the JSON file that the console gives when a key is made for the account")
    };
    match (&parsed, missing) {
        (Err(_), _) => problems.push(refuse("this is not JSON".into())),
        (Ok(_), Some(key)) => problems.push(refuse(format!("there is no `{key}` in it"))),
        (Ok(_), None) => {
            let project = text("project_id").unwrap_or_default();
            if !project.is_empty() && project != google.project.as_str() {
                problems.push(
                    Problem::new(
                        Code::Doubtful,
                        google.project.span(),
                        format!("the service account belongs to the project `{project}`"),
                    )
                    .label("is another project")
                    .related(account.span(), "the account")
                    .help("check that the account may publish in this project"),
                );
            }
        }
    }
}
