//! What is on a card image, read out of it: one of ours or any other that starts a Raspberry Pi. No secret is
//! read, but for whether there is one.

mod description;
mod network;
mod people;
mod seed;
mod shown;
mod units;

use std::path::{Path, PathBuf};

use imgbuild_schema::card::{CardProfile, Cloud, PROFILE_PATH, Sensor};
use imgbuild_schema::yaml;
use serde::Serialize;

use crate::base::Base;
use crate::base::facts::Facts;
use crate::base::root::Root;
use crate::base::tree::{Kind, Tree};
use crate::digest::sha256;
use crate::plan::AGENT_PATH;

pub use description::Description;
pub use network::Network;
pub use people::Account;
pub use seed::Seed;
pub use units::Units;

/// Everything that is told of an image.
#[derive(Debug, Serialize)]
pub struct Inspection {
    /// The file.
    pub image: PathBuf,
    /// What there is to know of any image.
    pub facts: Facts,
    /// How it calls itself in a network.
    pub hostname: Option<String>,
    /// Its time zone, as in `Europe/Amsterdam`.
    pub timezone: Option<String>,
    /// How many packages dpkg knows.
    pub packages: usize,
    /// Which networks it joins.
    pub network: Network,
    /// Who can log in, or has a key.
    pub accounts: Vec<Account>,
    /// What of all that cloud-init is to change at the first start, if it is to.
    pub first_start: Option<Seed>,
    /// What is started, beyond what the distribution starts, and what never is.
    pub units: Units,
    /// The agent; none on a card that is not ours.
    pub agent: Option<Agent>,
}

/// The agent and what it is told to do.
#[derive(Debug, Serialize)]
pub struct Agent {
    /// The program's length in bytes.
    pub bytes: usize,
    /// The program's hash.
    pub sha256: String,
    /// What it reads at each start; none if that is not there.
    pub profile: Option<Profile>,
    /// What is wrong with that, if it cannot be read.
    pub complaint: Option<String>,
}

/// What the agent is told.
#[derive(Debug, Serialize)]
pub struct Profile {
    /// The device's id.
    pub device: String,
    /// Where readings go.
    pub cloud: Cloud,
    /// What is read.
    pub sensors: Vec<Sensor>,
}

impl Inspection {
    /// Looks at an image, whose file is called so.
    pub fn of(image: Base, path: &Path) -> anyhow::Result<Self> {
        let (root, boot) = (image.root()?, image.boot()?);
        Ok(Self {
            image: path.to_owned(),
            hostname: line(&root, "/etc/hostname")?,
            timezone: timezone(&root)?,
            packages: image.packages()?.len(),
            network: Network::read(&root, &boot)?,
            accounts: people::read(&root)?,
            first_start: Seed::read(&image.facts, &boot)?,
            units: Units::read(&root)?,
            agent: agent(&root)?,
            facts: image.facts,
        })
    }
}

fn agent(root: &Root) -> anyhow::Result<Option<Agent>> {
    let Some(program) = root.read(AGENT_PATH)? else { return Ok(None) };
    let text = root.read_text(PROFILE_PATH)?;
    let parsed = text.map(|text| yaml::parse::<CardProfile>(&text));
    let (profile, complaint) = match parsed {
        None => (None, None),
        Some(Ok(CardProfile { device, cloud, sensors, .. })) => {
            (Some(Profile { device: device.id.to_string(), cloud, sensors }), None)
        }
        Some(Err(problem)) => (None, Some(format!("{PROFILE_PATH}: {problem}"))),
    };
    Ok(Some(Agent { bytes: program.len(), sha256: sha256(&program), profile, complaint }))
}

/// A file's first line.
fn line(root: &Root, path: &str) -> anyhow::Result<Option<String>> {
    let text = root.read_text(path)?.unwrap_or_default();
    Ok(text.lines().next().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned))
}

fn timezone(root: &Root) -> anyhow::Result<Option<String>> {
    match root.metadata("/etc/localtime")?.map(|metadata| metadata.kind) {
        Some(Kind::Link(target)) => {
            Ok(target.split_once("zoneinfo/").map(|(_, name)| name.to_owned()))
        }
        _ => line(root, "/etc/timezone"),
    }
}
