//! Answers that are given on the command line. No secret is one of its words: every user of the machine sees
//! them, so secrets come from files.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use imgbuild_schema::profile::{Model, NamedBase};
use imgbuild_schema::values::Secret;

use super::answers::{SENSORS, Sensor};
use super::cloud::{CLOUDS, Cloud};
use crate::fault::{self, Usage};
use crate::profile;

/// The flags of `imgbuild init`. What they do not say is asked on a terminal.
#[derive(Debug, Args)]
pub struct Flags {
    /// What the device is called at its cloud [default: the profile's name]
    #[arg(long)]
    pub(super) id: Option<String>,
    /// Which Raspberry Pi it is
    #[arg(long, value_parser = models())]
    pub(super) model: Option<Model>,
    /// The operating system to start from [default: the first that boots the model]
    #[arg(long, value_parser = bases())]
    pub(super) base: Option<NamedBase>,
    /// The country it is in, such as NL
    #[arg(long, value_name = "COUNTRY")]
    pub(super) wifi_country: Option<String>,
    /// The WiFi network to join
    #[arg(long, value_name = "NAME")]
    pub(super) wifi_ssid: Option<String>,
    /// A file that holds the network's passphrase; - is the standard input
    #[arg(long, value_name = "FILE", conflicts_with = "wifi_open")]
    wifi_psk_file: Option<PathBuf>,
    /// The network is open to everybody
    #[arg(long)]
    pub(super) wifi_open: bool,
    /// Who can log in
    #[arg(long)]
    pub(super) user: Option<String>,
    /// That user's public SSH key, relative to the profile
    #[arg(long, value_name = "FILE")]
    pub(super) ssh_key: Option<String>,
    /// A file that holds that user's password; - is the standard input
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Where readings go
    #[arg(long, value_parser = clouds())]
    pub(super) cloud: Option<&'static Cloud>,
    /// A key of the cloud, such as host=broker.example.org; files are relative to the profile
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(super) set: Vec<(String, String)>,
    /// A key of the cloud that is a secret, such as password=FILE; - is the standard input
    #[arg(long, value_name = "KEY=FILE", value_parser = pair)]
    set_file: Vec<(String, String)>,
    /// A sensor; may be given several times
    #[arg(long, value_name = "NAME", value_parser = sensors())]
    pub(super) sensor: Vec<&'static Sensor>,
    /// Ask nothing: what no flag says is left out, or an error if it is needed
    #[arg(long)]
    pub(super) no_input: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && !value.is_empty() => {
            Ok((key.into(), value.into()))
        }
        _ => Err("write a key, `=`, and a value".into()),
    }
}

fn models() -> impl TypedValueParser<Value = Model> {
    one_of(Model::ALL.iter().map(|model| (model.name(), *model)).collect())
}

fn bases() -> impl TypedValueParser<Value = NamedBase> {
    one_of(NamedBase::ALL.iter().map(|base| (base.name(), *base)).collect())
}

fn clouds() -> impl TypedValueParser<Value = &'static Cloud> {
    one_of(CLOUDS.iter().map(|cloud| (cloud.name, cloud)).collect())
}

fn sensors() -> impl TypedValueParser<Value = &'static Sensor> {
    one_of(SENSORS.iter().map(|sensor| (sensor.name, sensor)).collect())
}

fn one_of<T: Copy + Send + Sync + 'static>(
    known: Vec<(&'static str, T)>,
) -> impl TypedValueParser<Value = T> {
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    PossibleValuesParser::new(names).map(move |text| {
        let found = known.iter().find(|(name, _)| *name == text);
        found.expect("the parser takes no other name").1
    })
}

/// The secrets that the flags lead to.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) psk: Option<Secret>,
    pub(super) password: Option<Secret>,
    /// By key of the cloud.
    pub(super) cloud: Vec<(String, Secret)>,
}

impl Given {
    /// Reads them all, before anything is asked.
    pub(super) fn read(flags: &Flags) -> anyhow::Result<Self> {
        let set = flags.set_file.iter().map(|(_, file)| Path::new(file));
        let files = flags.wifi_psk_file.iter().chain(&flags.password_file);
        if files.map(PathBuf::as_path).chain(set).filter(|file| is_input(file)).count() > 1 {
            return Err(Usage(
                "the standard input holds one secret, and `-` is given for several".into(),
            )
            .into());
        }
        let read = |flag: &str, file: &Option<PathBuf>| {
            file.as_deref().map(|file| secret(flag, file)).transpose()
        };
        let set = flags.set_file.iter();
        let set = set.map(|(key, file)| Ok((key.clone(), secret("--set-file", Path::new(file))?)));
        Ok(Self {
            psk: read("--wifi-psk-file", &flags.wifi_psk_file)?,
            password: read("--password-file", &flags.password_file)?,
            cloud: set.collect::<anyhow::Result<_>>()?,
        })
    }
}

fn is_input(file: &Path) -> bool {
    file == "-"
}

/// A secret of one line.
fn secret(flag: &str, file: &Path) -> anyhow::Result<Secret> {
    let text = if is_input(file) {
        input(flag)?
    } else {
        profile::read_text(file).map_err(|error| {
            Usage(format!("{flag}: {} cannot be read: {}", file.display(), fault::reason(&error)))
        })?
    };
    let secret = Secret::new(text).line();
    if secret.expose().is_empty() {
        return Err(Usage(format!("{flag}: there is nothing in {}", file.display())).into());
    }
    Ok(secret)
}

fn input(flag: &str) -> anyhow::Result<String> {
    if std::io::stdin().is_terminal() {
        return Err(Usage(format!(
            "{flag}: a secret that is typed there would be seen; leave the flag out to be asked for it"
        ))
        .into());
    }
    let mut text = String::new();
    let input = std::io::stdin().lock();
    input
        .take(profile::MOST_BYTES)
        .read_to_string(&mut text)
        .context("reading the standard input")?;
    Ok(text)
}
