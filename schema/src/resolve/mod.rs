//! From what was typed to what is meant: defaults, templates, secrets, files.

mod access;
mod cloud;
mod network;
mod not_yet;
mod sensors;

use std::path::{Path, PathBuf};

use minijinja::context;

use crate::card::{self, CardProfile, Delivery};
use crate::profile::{Device, Profile};
use crate::spec::Credential;
use crate::telemetry;
use crate::template::{self, TemplateError};
use crate::values::{Hostname, InvalidValue, Locale, Secret, Timezone};
use crate::{Code, DeviceSpec, Problem, Sp, Span};

/// Where a profile's files, secrets and variables are looked up. The one way out of this crate.
pub trait Lookup {
    /// The text of a file, its path as the profile gives it.
    fn file(&self, path: &Path) -> Result<String, LookupError>;
    /// A secret by its name.
    fn secret(&self, name: &str) -> Result<Secret, LookupError>;
    /// An environment variable; none if it is not set.
    fn variable(&self, name: &str) -> Option<String>;
    /// The time, in seconds since 1970, which decides whether a certificate has expired.
    fn now(&self) -> u64;
}

/// Why something could not be looked up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LookupError {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// Something could not be resolved, and the problem has been noted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noted;

/// Resolves a profile; what is wrong is noted in `problems`, what is right and cannot be built yet in
/// `not_yet`.
pub(crate) fn profile(
    profile: &Profile,
    problems: &mut Vec<Problem>,
    not_yet: &mut Vec<Problem>,
) -> Result<DeviceSpec, Noted> {
    let mut resolver = Resolver { problems, not_yet, credentials: Vec::new() };
    // all of them first, so that each can report its problems
    let wifi = network::wifi(&profile.network, &mut resolver);
    let access = profile.access.as_ref().map(|access| access::access(access, &mut resolver));
    let cloud = cloud::resolve(&profile.cloud, &profile.device, &mut resolver);
    let sensors = sensors::resolve(profile, &mut resolver);
    if let (Ok(cloud), Ok(sensors)) = (&cloud, &sensors) {
        cloud::listens_to_itself(profile, cloud, sensors, &mut resolver);
    }
    let hostname = resolver.hostname(&profile.device);
    not_yet::note(profile, &mut resolver);
    let device = &profile.device;
    Ok(DeviceSpec {
        model: device.model.clone(),
        base: profile.base.clone(),
        first_boot: profile.first_boot.clone(),
        hostname: hostname?,
        timezone: device.timezone.clone().unwrap_or_else(|| Sp::implied(default_timezone())),
        locale: device.locale.clone().unwrap_or_else(|| Sp::implied(default_locale())),
        keyboard: device.keyboard.as_ref().map_or("us", |layout| layout.as_str()).to_owned(),
        wifi: wifi?,
        ethernet: network::ethernet(&profile.network),
        access: access.transpose()?,
        card: CardProfile {
            version: card::VERSION,
            device: card::Device { id: (*device.id).clone() },
            cloud: cloud?,
            telemetry: delivery(profile),
            sensors: sensors?,
        },
        credentials: resolver.credentials,
        overlays: profile.overlays.clone(),
    })
}

fn delivery(profile: &Profile) -> Delivery {
    let telemetry = &profile.telemetry;
    Delivery {
        qos: *telemetry.qos,
        queue: telemetry::Queue { max_bytes: *telemetry.queue.max_bytes },
        reconnect: (*telemetry.reconnect).clone(),
        keepalive: *telemetry.keepalive,
        connect_timeout: *telemetry.connect_timeout,
        ack_timeout: *telemetry.ack_timeout,
    }
}

fn default_timezone() -> Timezone {
    "UTC".parse().expect("UTC is a time zone")
}

fn default_locale() -> Locale {
    "C.UTF-8".parse().expect("C.UTF-8 is a locale")
}

/// Keeps account of what went wrong and of what goes onto the card.
struct Resolver<'a> {
    problems: &'a mut Vec<Problem>,
    not_yet: &'a mut Vec<Problem>,
    credentials: Vec<Credential>,
}

impl Resolver<'_> {
    /// Notes a problem.
    fn note(&mut self, problem: Problem) -> Noted {
        self.problems.push(problem);
        Noted
    }

    /// Puts a credential onto the card and returns its path there.
    fn credential(&mut self, name: &'static str, content: Secret) -> PathBuf {
        self.credentials.push(Credential { name, content });
        Path::new(card::CREDENTIALS_PATH).join(name)
    }

    fn hostname(&mut self, device: &Device) -> Result<Hostname, Noted> {
        let id = device.id.as_str();
        let Some(written) = &device.hostname else {
            return id.parse().map_err(|refusal| {
                self.note(
                    Problem::new(
                        Code::InvalidValue,
                        device.id.span(),
                        format!("the id cannot serve as the host name: {refusal}"),
                    )
                    .label("is no host name")
                    .help("add `hostname`"),
                )
            });
        };
        let context = context! { device => context! { id => id } };
        let text = template::fill(written, &context)
            .map_err(|error| self.note(bad_template(written, &error, "`device.id`")))?;
        text.parse().map_err(|refusal: InvalidValue| {
            let problem = Problem::new(Code::InvalidValue, written.span(), refusal.to_string());
            self.note(problem.label("is no host name"))
        })
    }
}

/// The problem of a template that knows no more than `known`.
fn bad_template(source: &Sp<String>, error: &TemplateError, known: &str) -> Problem {
    let span = error_span(source, error).or(source.span());
    let label = if error.is_unknown() { "not known here" } else { "here" };
    Problem::new(Code::BadTemplate, span, format!("this template cannot be filled in: {error}"))
        .label(label)
        .help(format!("this template knows {known}"))
}

/// Where in the profile a template's error lies, if its text stands there as it was written: bare, or
/// between quotes.
fn error_span(source: &Sp<String>, error: &TemplateError) -> Option<Span> {
    let (span, range) = (source.span()?, error.range.clone()?);
    let quote = match (span.end - span.start).checked_sub(source.len())? {
        0 => 0,
        2 => 1,
        _ => return None,
    };
    let start = span.start + quote + range.start;
    Some(Span { start, end: start + range.len(), ..span })
}
