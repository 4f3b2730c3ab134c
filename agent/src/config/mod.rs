//! From what the profile says to what it means: the files it names are read, and everything that is
//! wrong with them is found at once.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use imgbuild_schema::CardProfile;
use imgbuild_schema::card;
use imgbuild_schema::values::Secret;
use imgbuild_schema::yaml::{self, Unreadable};
use rustls::pki_types::CertificateDer;
use serde::Deserialize;

use crate::fault::Fault;
use crate::mqtt::{Login, Options};
use crate::provider::{self, Door, Silence};
use crate::redirect::{self, Redirect};
use crate::tls::{self, Identity, Trust};
use crate::token::{Jwt, Sas};
use crate::x509::Validity;

/// Everything the agent needs to know to do its work.
#[derive(Debug)]
pub struct Config {
    /// What the profile says.
    pub profile: CardProfile,
    /// How to connect.
    pub options: Options,
    /// When the device's own certificate is valid, if it has one.
    pub validity: Option<Validity>,
    /// Whether there is a certificate to show.
    pub has_identity: bool,
    /// Where the kernel's command line says to connect, if it says so.
    pub redirect: Option<Redirect>,
    /// What the cloud means when it closes without a word.
    pub silence: Silence,
}

/// Reads the profile.
pub fn profile(path: &Path) -> Result<CardProfile, Fault> {
    let source = std::fs::read_to_string(path).map_err(|error| {
        Fault::profile(format!("reading {}: {error}", path.display()))
            .hint("`imgbuild build` puts the profile there; name another with --profile")
    })?;
    // the version first: a profile of another version has other keys
    let Version { version } = yaml::parse(&source).map_err(|error| fault(&error, path))?;
    if version != card::VERSION {
        return Err(Fault::profile(format!(
            "{} is of version {version}, and this agent reads version {}",
            path.display(),
            card::VERSION
        ))
        .hint("build the card again with the `imgbuild` that this agent came with"));
    }
    let profile: CardProfile = yaml::parse(&source).map_err(|error| fault(&error, path))?;
    match profile.sensors.iter().find(|sensor| sensor.interval.get().is_zero()) {
        Some(sensor) => {
            Err(Fault::profile(format!("sensor `{}` has an interval of zero", sensor.id)))
        }
        None => Ok(profile),
    }
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// What is wrong with the file, and where, as editors count.
fn fault(error: &Unreadable, path: &Path) -> Fault {
    let place = error.place.map_or(String::new(), |(line, column)| format!(":{line}:{column}"));
    Fault::profile(format!("{}{place}: {error}", path.display()))
        .hint("build the card again, or mend the line")
}

/// What the files say that the profile names.
#[derive(Debug, Default)]
pub struct Credentials {
    /// The authorities to trust; none: the public ones.
    pub authorities: Option<Vec<CertificateDer<'static>>>,
    /// The device's own certificate and key.
    pub identity: Option<Identity>,
    /// How to log in.
    pub login: Login,
}

impl Credentials {
    /// Reads every file, and says everything that is wrong.
    pub fn read(door: &Door<'_>) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut keep = |fault: Fault| faults.push(fault);
        let credentials = Self {
            authorities: door
                .access
                .trusted()
                .and_then(|path| tls::certificates(path).map_err(&mut keep).ok()),
            identity: door.access.identity.and_then(|files| {
                Identity::read(&files.certificate, &files.private_key).map_err(&mut keep).ok()
            }),
            login: login(&door.login).map_err(&mut keep).unwrap_or_default(),
        };
        if let provider::Login::User { name: None, password: Some(_) } = door.login {
            faults.push(
                Fault::profile("the profile has a password and no user name")
                    .hint("MQTT 3.1.1 takes a password only with a user name"),
            );
        }
        if faults.is_empty() { Ok(credentials) } else { Err(faults) }
    }
}

/// The shortest life of a token: a shorter one ends while it connects.
const SHORTEST_LIFE: Duration = Duration::from_secs(5);

fn login(login: &provider::Login<'_>) -> Result<Login, Fault> {
    if let provider::Login::Jwt { life, .. } | provider::Login::Sas { life, .. } = login
        && *life < SHORTEST_LIFE
    {
        return Err(
            Fault::profile(format!("a token cannot end after {life:?}")).hint("give it an hour")
        );
    }
    Ok(match login {
        provider::Login::User { name, password } => {
            let password = password.map(self::password).transpose()?;
            let user = |name: &Cow<'_, str>| Login::User { name: name.to_string(), password };
            name.as_ref().map_or(Login::Nobody, user)
        }
        provider::Login::Jwt { name, audience, key, algorithm, life } => {
            let signing_key = tls::key(key)?;
            let mint = Jwt::new(audience, &signing_key, *algorithm, *life).map_err(|error| {
                Fault::profile(format!("{} cannot sign: {error}", key.display()))
                    .hint("ES256 wants a key on P-256, RS256 one of RSA of 2048 bits or more")
            })?;
            Login::Token { name: (*name).to_owned(), mint: Arc::new(mint) }
        }
        provider::Login::Sas { name, resource, key, life } => {
            let bytes = STANDARD.decode(password(key)?.expose()).map_err(|_| {
                Fault::profile(format!("{} holds no key in Base64", key.display()))
                    .hint("take the device's primary key as the portal shows it")
            })?;
            let mint = Arc::new(Sas::new(resource, &bytes, *life));
            Login::Token { name: name.clone(), mint }
        }
    })
}

/// The first line of a file: editors end lines, and no password holds one.
fn password(path: &Path) -> Result<Secret, Fault> {
    let text = String::from_utf8(tls::read(path)?)
        .map_err(|_| Fault::profile(format!("{} is not text", path.display())))?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(Secret::new(line.to_owned())),
        _ => Err(Fault::profile(format!("{} holds no password", path.display()))),
    }
}

/// Reads everything that a profile names, on the machine whose files lie below `root`.
pub fn resolve(profile: CardProfile, root: &Path) -> Result<Config, Vec<Fault>> {
    let redirect = redirect::from_command_line(root);
    let door = provider::door(&profile.cloud);
    let (mut credentials, redirect) = match (Credentials::read(&door), redirect) {
        (Ok(credentials), Ok(redirect)) => (credentials, redirect),
        (credentials, redirect) => {
            let faults = credentials.err().unwrap_or_default();
            return Err(faults.into_iter().chain(redirect.err()).collect());
        }
    };
    let validity = credentials.identity.as_ref().and_then(Identity::validity);
    let has_identity = credentials.identity.is_some();
    let tls = if door.access.secured {
        Some(client_config(&door, &mut credentials, redirect.as_ref())?)
    } else {
        None
    };
    let address = redirect.as_ref().map(|redirect| &redirect.address).or(door.access.address());
    let options = provider::options(&door, &profile.telemetry, tls, credentials.login, address);
    let silence = door.silence;
    Ok(Config { profile, options, validity, has_identity, redirect, silence })
}

fn client_config(
    door: &Door<'_>,
    credentials: &mut Credentials,
    redirect: Option<&Redirect>,
) -> Result<Arc<rustls::ClientConfig>, Vec<Fault>> {
    let stand_in = redirect.and_then(|redirect| redirect.ca.clone()).map(|ca| vec![ca]);
    let trust = match stand_in.as_ref().or(credentials.authorities.as_ref()) {
        Some(authorities) => Trust::These(authorities),
        None => Trust::Roots(door.roots),
    };
    let mut config = tls::client_config(trust, credentials.identity.take()).map_err(|error| {
        let from = door
            .access
            .trusted()
            .map_or("the public authorities".into(), |path| path.display().to_string());
        vec![Fault::profile(format!("setting up TLS with {from}: {error}"))]
    })?;
    config.alpn_protocols = door.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Ok(Arc::new(config))
}

#[cfg(test)]
pub(crate) mod tests;
