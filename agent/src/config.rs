//! From what the profile says to what it means: the files it names are read, and everything that is
//! wrong with them is found at once.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

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

fn login(login: &provider::Login<'_>) -> Result<Login, Fault> {
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
pub(crate) mod tests {
    use super::*;

    pub(crate) const PROFILE: &str = "\
version: 1
device: {id: greenhouse-01}
cloud:
  mqtt: {host: broker.example, port: 8883, client_id: greenhouse-01}
telemetry:
  qos: 1
  queue: {max_bytes: 4MiB}
  reconnect: {first: 1s, max: 32s, stable: 20s, jitter: 50%}
  connect_timeout: 10s
  ack_timeout: 5s
sensors:
  - {id: cpu, topic: greenhouse-01/cpu, interval: 10s, driver: {cpu-temperature: {}}}
";

    fn read(source: &str) -> Result<CardProfile, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("profile.yaml");
        std::fs::write(&path, source).unwrap();
        let shown = format!("{}/", folder.path().display());
        profile(&path).map_err(|fault| fault.to_string().replace(&shown, ""))
    }

    #[test]
    fn the_profile_of_the_card_is_read() {
        assert_eq!(read(PROFILE).unwrap().device.id.as_str(), "greenhouse-01");
    }

    #[test]
    fn a_mistake_is_shown_with_its_place_and_the_way_out() {
        for (source, complaint) in [
            (
                PROFILE.replace("topic:", "topc:"),
                "profile.yaml:12:15: unknown key `topc`; known here: id, topic",
            ),
            (PROFILE.replace("qos: 1", "qos: 3"), "profile.yaml:6:8: there is no QoS 3"),
            (
                PROFILE.replace("version: 1", "version: 2"),
                "is of version 2, and this agent reads version 1\nhint: build the card again",
            ),
            (
                PROFILE.replace("interval: 10s", "interval: 0s"),
                "sensor `cpu` has an interval of zero",
            ),
            (PROFILE.replace("device: {", "device: ["), "profile.yaml:2:"),
        ] {
            let error = read(&source).unwrap_err();
            assert!(error.contains(complaint), "{error}");
        }
    }

    #[test]
    fn a_password_is_somebodys() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "word\n").unwrap();
        let password = format!("client_id: g, password: {}}}", path.display());
        let source = PROFILE.replace("client_id: greenhouse-01}", &password);
        let faults = resolve(read(&source).unwrap(), Path::new("/none")).unwrap_err();
        assert_eq!(faults[0].message, "the profile has a password and no user name");
    }

    #[test]
    fn all_that_is_wrong_with_the_files_is_said_at_once() {
        let source = PROFILE.replace(
            "client_id: greenhouse-01}",
            "client_id: g, password: /none/password, tls: {ca: /none/ca, identity: {certificate: /none/pem, private_key: /none/key}}}",
        );
        let faults = resolve(read(&source).unwrap(), Path::new("/none")).unwrap_err();
        let messages: Vec<_> = faults.iter().map(|fault| fault.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "reading /none/ca: No such file or directory (os error 2)",
                "reading /none/pem: No such file or directory (os error 2)",
                "reading /none/password: No such file or directory (os error 2)",
                "the profile has a password and no user name",
            ]
        );
    }
}
