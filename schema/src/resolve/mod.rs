//! From what was typed to what is meant: defaults, templates, secrets, files.

mod cloud;
mod network;
mod sensors;

use std::path::Path;

use crate::card::{self, CardProfile, Delivery};
use crate::profile::{Access, Device, Profile, Source};
use crate::spec::{AccessSpec, Credential};
use crate::values::{Hostname, Locale, Secret, Timezone};
use crate::{Code, DeviceSpec, Problem, Sp};

/// Where a profile's files, secrets and variables are looked up. The one way out of this crate.
pub trait Lookup {
    /// The text of a file, its path as the profile gives it.
    fn file(&self, path: &Path) -> Result<String, LookupError>;
    /// A secret by its name.
    fn secret(&self, name: &str) -> Result<Secret, LookupError>;
    /// An environment variable; none if it is not set.
    fn variable(&self, name: &str) -> Option<String>;
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

/// Resolves a profile; what is wrong is noted in `problems`.
pub(crate) fn profile(
    profile: &Profile,
    lookup: &dyn Lookup,
    problems: &mut Vec<Problem>,
) -> Result<DeviceSpec, Noted> {
    let mut resolver = Resolver { lookup, problems, credentials: Vec::new() };
    // all of them first, so that each can report its problems
    let wifi = network::wifi(&profile.network, &mut resolver);
    let access = profile.access.as_ref().map(|access| resolver.access(access)).transpose();
    let cloud = cloud::resolve(&profile.cloud, &profile.device, &mut resolver);
    let sensors = sensors::resolve(profile, &mut resolver);
    let device = &profile.device;
    let hostname = match &device.hostname {
        Some(hostname) => Ok((**hostname).clone()),
        None => resolver.hostname_from_id(device),
    };
    Ok(DeviceSpec {
        model: device.model.clone(),
        base: profile.base.clone(),
        hostname: hostname?,
        timezone: device.timezone.clone().unwrap_or_else(|| Sp::implied(default_timezone())),
        locale: device.locale.clone().unwrap_or_else(|| Sp::implied(default_locale())),
        keyboard: device.keyboard.as_ref().map_or_else(|| "us".to_owned(), |it| (**it).clone()),
        wifi: wifi?,
        ethernet: network::ethernet(&profile.network),
        access: access?,
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
        qos: telemetry.qos,
        queue: telemetry.queue.clone(),
        reconnect: (*telemetry.reconnect).clone(),
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

/// Looks things up and keeps account of what went wrong and of what goes onto the card.
struct Resolver<'a> {
    lookup: &'a dyn Lookup,
    problems: &'a mut Vec<Problem>,
    credentials: Vec<Credential>,
}

impl Resolver<'_> {
    /// Notes a problem.
    fn note(&mut self, problem: Problem) -> Noted {
        self.problems.push(problem);
        Noted
    }

    /// The text behind a source.
    fn text(&mut self, source: &Sp<Source>) -> Result<Secret, Noted> {
        let (code, found) = match &**source {
            Source::Literal(text) => return Ok(text.clone()),
            Source::Secret(name) => (Code::UnreadableSecret, self.lookup.secret(name)),
            Source::File(path) => {
                (Code::UnreadableFile, self.lookup.file(Path::new(path)).map(Secret::new))
            }
            Source::Variable(name) => (
                Code::UnsetVariable,
                self.lookup.variable(name).map(Secret::new).ok_or_else(|| LookupError {
                    message: format!("the environment variable `{name}` is not set"),
                    help: format!("set it, as in `{name}=… imgbuild …`"),
                }),
            ),
        };
        found.map_err(|error| {
            self.note(
                Problem::new(code, source.span(), error.message)
                    .label("cannot be looked up")
                    .help(error.help),
            )
        })
    }

    /// A secret of one line: an editor's newline at the end of its file does not belong to it.
    fn line(&mut self, source: &Sp<Source>) -> Result<Secret, Noted> {
        let text = self.text(source)?;
        Ok(Secret::new(text.expose().trim_end_matches(['\r', '\n']).to_owned()))
    }

    /// Puts a credential onto the card and returns its path there.
    fn credential(&mut self, name: &'static str, content: Secret) -> std::path::PathBuf {
        self.credentials.push(Credential { name, content });
        Path::new(card::CREDENTIALS_PATH).join(name)
    }

    fn access(&mut self, access: &Access) -> Result<AccessSpec, Noted> {
        let password = access.password.as_ref().map(|password| self.line(password)).transpose();
        let keys: Vec<_> = access.ssh_keys.iter().map(|key| self.ssh_keys(key)).collect();
        Ok(AccessSpec {
            user: (*access.user).clone(),
            password: password?,
            ssh_keys: keys.into_iter().collect::<Result<Vec<_>, _>>()?.concat(),
        })
    }

    /// The keys in one entry: a line, or a file of lines. A private key is caught before it is published.
    fn ssh_keys(&mut self, source: &Sp<Source>) -> Result<Vec<String>, Noted> {
        let text = self.text(source)?;
        let lines = text.expose().lines().map(str::trim);
        let keys: Vec<String> = lines
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(str::to_owned)
            .collect();
        let public = |key: &String| {
            let mut words = key.split_whitespace();
            let kind = words.next().unwrap_or_default();
            (kind.starts_with("ssh-") || kind.starts_with("ecdsa-") || kind.starts_with("sk-"))
                && words.next().is_some_and(|key| key.starts_with("AAAA"))
        };
        if keys.is_empty() || !keys.iter().all(public) {
            return Err(self.note(
                Problem::new(Code::Access, source.span(), "this is not a public SSH key")
                    .label("should begin with `ssh-ed25519 AAAA` or the like")
                    .help("the public key is in the file that ends in `.pub`"),
            ));
        }
        Ok(keys)
    }

    fn hostname_from_id(&mut self, device: &Device) -> Result<Hostname, Noted> {
        device.id.as_str().parse().map_err(|refusal| {
            self.note(
                Problem::new(
                    Code::InvalidValue,
                    device.id.span(),
                    format!("the id cannot serve as the host name: {refusal}"),
                )
                .label("is no host name")
                .help("add `hostname`"),
            )
        })
    }
}
