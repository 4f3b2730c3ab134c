//! What an image to start from is, and what follows from that for a device on it.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use imgbuild_schema::DeviceSpec;
use serde::Serialize;

use super::shown::{listed, programs};
use crate::base::Base;
use crate::base::facts::Facts;
use crate::choices::Choices;
use crate::profile::Disk;

/// What a card needs drivers for.
const DRIVERS: [&str; 3] = ["brcmfmac", "i2c-bcm2835", "i2c-dev"];

/// An image to start from, told.
#[derive(Debug, Serialize)]
pub struct Description {
    /// The file.
    #[serde(skip)]
    pub image: PathBuf,
    /// What was read out of it.
    #[serde(flatten)]
    pub facts: Facts,
    /// The kernels whose modules are in it.
    pub kernels: Vec<Drivers>,
    /// What follows from all that for a device that asks for nothing out of the ordinary, a sentence each.
    pub consequences: Vec<String>,
}

/// A kernel, and what of a card's needs it has as modules or inside.
#[derive(Debug, Serialize)]
pub struct Drivers {
    /// Its version, as `uname -r` tells it.
    pub version: String,
    /// `brcmfmac` for WiFi on the board, `i2c-bcm2835` and `i2c-dev` for sensors.
    pub drivers: Vec<&'static str>,
}

impl Description {
    /// Describes a base.
    pub fn of(base: &Base) -> anyhow::Result<Self> {
        let kernels = base.kernels()?.into_iter().map(|kernel| Drivers {
            drivers: DRIVERS.into_iter().filter(|driver| kernel.has(driver)).collect(),
            version: kernel.version,
        });
        Ok(Self {
            image: base.path.clone(),
            facts: base.facts.clone(),
            kernels: kernels.collect(),
            consequences: consequences(&base.facts)?,
        })
    }
}

/// What a build would choose on such a base. Nobody is asked but who chooses then.
fn consequences(facts: &Facts) -> anyhow::Result<Vec<String>> {
    let of = |spec: &DeviceSpec| Choices::of(spec, facts).map(|choices| choices.reasons);
    let wifi = "network: {wifi: {country: NL, networks: [{ssid: any, security: open}]}}\n";
    Ok(match (of(&device(wifi)?), of(&device("")?)) {
        (Ok(reasons), _) => reasons,
        (Err(problem), Ok(mut reasons)) => {
            reasons.push(format!("no WiFi can be had: {}", problem.message));
            reasons
        }
        (Err(_), Err(problem)) => vec![format!("no card can be made of it: {}", problem.message)],
    })
}

/// A device that asks for nothing out of the ordinary.
fn device(more: &str) -> anyhow::Result<DeviceSpec> {
    let profile = format!(
        "version: 1\ndevice: {{id: any, model: pi-3}}\nbase: {{file: any.img}}\n\
         cloud: {{mqtt: {{host: any.example, tls: false}}}}\nsensors: [{{id: cpu, cpu-temperature: {{}}}}]\n{more}"
    );
    let outcome = imgbuild_schema::read("", &profile, &Disk::beside(Path::new("")));
    outcome.spec.context("the plainest of profiles is right")
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Facts { release, reference, architecture, firmware, length, root, .. } = &self.facts;
        let mut row = |name: &str, text: &str| writeln!(f, "{name:<11} {text}");
        row("image", &self.image.display().to_string())?;
        let (length, free) = (length >> 20, root.free_bytes() >> 20);
        row("size", &format!("{length} MiB, {free} MiB free in its root file system"))?;
        let architecture = architecture.name();
        row("system", &format!("{} ({}, {architecture})", release.name, release.codename))?;
        if let Some(reference) = reference {
            row("reference", reference)?;
        }
        row("partitions", &self.facts.table.to_string())?;
        row("boot", &self.facts.boot_mount)?;
        row("boards", &listed(&firmware.boards))?;
        for (model, reason) in &firmware.crippled {
            row("", &format!("{model} starts, but {reason}"))?;
        }
        for model in &firmware.blind {
            row("", &format!("{model} would start, but its boot ROM reads no GPT"))?;
        }
        row("starts", &listed(&firmware.kernels))?;
        let kernels = self.kernels.iter().map(|Drivers { version, drivers }| match drivers[..] {
            [] => version.clone(),
            _ => format!("{version} with {}", drivers.join(", ")),
        });
        let kernels = kernels.collect::<Vec<_>>().join("; ");
        row("modules", if kernels.is_empty() { "none" } else { &kernels })?;
        row("network", &listed(&programs(self.facts.network)))?;
        row("first start", &listed(&first_start(&self.facts)))?;
        let mut title = "so";
        for consequence in &self.consequences {
            row(title, consequence)?;
            title = "";
        }
        Ok(())
    }
}

/// What an image does at its first start, if it is let.
fn first_start(facts: &Facts) -> Vec<&'static str> {
    let first = &facts.first_boot;
    let all = [
        (facts.cloud_init && !first.cloud_init_disabled, "cloud-init"),
        (first.wizard, "a wizard that asks for a user"),
        (first.preseed, "rpi-preseed.toml"),
        (first.resizes, "growing the root file system"),
        (first.makes_host_keys || first.replaces_host_keys, "SSH host keys"),
    ];
    all.into_iter().filter(|(there, _)| *there).map(|(_, what)| what).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plainest_of_devices_is_right() {
        assert!(device("").unwrap().wifi.is_none());
    }
}
