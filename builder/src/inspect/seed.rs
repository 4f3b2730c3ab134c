//! What cloud-init is to do at the first start, as its seed on the boot partition says (`NoCloud`: `user-data` and
//! `network-config`). Nothing of it is done yet, so nothing of it stands anywhere else.

use std::collections::BTreeMap;

use imgbuild_schema::yaml;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use crate::base::facts::Facts;
use crate::base::tree::Tree;

/// What a seed says.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Seed {
    /// How the device is to call itself.
    pub hostname: Option<String>,
    /// Which accounts there are to be.
    pub users: Vec<String>,
    /// The names of the WiFi networks that it is to join, sorted.
    pub wifi: Vec<String>,
    /// What is wrong with it, if it cannot be read.
    pub complaints: Vec<String>,
}

/// The part of `user-data` that is told.
#[derive(Default, Deserialize)]
#[serde(default)]
struct UserData {
    hostname: Option<String>,
    users: Vec<User>,
    user: Option<User>,
}

/// An account; a word alone is one too, `default` for instance.
#[derive(Deserialize)]
#[serde(untagged)]
enum User {
    Word(String),
    Account { name: String },
    Other(IgnoredAny),
}

/// The part of `network-config` that is told; what it says may lie below `network`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct NetworkConfig {
    network: Option<Box<NetworkConfig>>,
    wifis: BTreeMap<String, Radio>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Radio {
    Device {
        #[serde(rename = "access-points")]
        access_points: BTreeMap<String, serde_json::Value>,
    },
    Other(IgnoredAny),
}

impl Seed {
    /// Reads the seed of an image; none if cloud-init is not there, is kept from starting, or is told nothing.
    pub(super) fn read(facts: &Facts, boot: &dyn Tree) -> anyhow::Result<Option<Self>> {
        if !facts.cloud_init || facts.first_boot.cloud_init_disabled {
            return Ok(None);
        }
        let mut seed = Self::default();
        let user_data: UserData = seed.part(boot, "/user-data")?;
        let network: NetworkConfig = seed.part(boot, "/network-config")?;
        seed.hostname = user_data.hostname;
        let users = user_data.users.into_iter().chain(user_data.user);
        seed.users.extend(users.filter_map(|user| match user {
            User::Word(name) | User::Account { name } => Some(name),
            User::Other(_) => None,
        }));
        let network = network.network.map_or_else(|| network.wifis, |inner| inner.wifis);
        for radio in network.into_values() {
            if let Radio::Device { access_points } = radio {
                seed.wifi.extend(access_points.into_keys());
            }
        }
        Ok((seed != Self::default()).then_some(seed))
    }

    /// One file of it, which may be missing or say nothing.
    fn part<T: DeserializeOwned + Default>(
        &mut self,
        boot: &dyn Tree,
        path: &str,
    ) -> anyhow::Result<T> {
        let text = boot.read_text(path)?.unwrap_or_default();
        match yaml::parse::<Option<T>>(&text) {
            Ok(part) => Ok(part.unwrap_or_default()),
            Err(problem) => {
                // it may repeat what it stumbled over, and that may be a secret: the place is enough
                let place = problem.place.map_or(String::new(), |(line, _)| format!(":{line}"));
                self.complaints.push(format!("{path}{place}: cannot be read"));
                Ok(T::default())
            }
        }
    }
}
