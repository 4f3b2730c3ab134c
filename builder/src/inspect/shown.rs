//! An inspection for people.

use std::fmt;

use imgbuild_schema::card::Access;

use super::{Agent, Inspection, Profile, Seed};
use crate::base::facts::Network;

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = &self.facts;
        let mut row = |name: &str, text: &str| writeln!(f, "{name:<10} {text}");
        let mib = |bytes: u64| bytes.div_ceil(1 << 20);
        let device = self.agent.as_ref().and_then(|agent| agent.profile.as_ref());
        row("image", &format!("{}, {} MiB", self.image.display(), mib(facts.length)))?;
        row("device", device.map_or("no card of imgbuild", |profile| &profile.device))?;
        row("system", &format!("{}, {}", facts.release.name, facts.architecture.name()))?;
        if let Some(reference) = &facts.reference {
            row("reference", reference)?;
        }
        row("packages", &self.packages.to_string())?;
        row("boards", &listed(&facts.firmware.boards))?;
        row(
            "partitions",
            &format!(
                "boot mounted at {}; root {} MiB, {} MiB free",
                facts.boot_mount,
                mib(facts.root.blocks.saturating_mul(facts.root.block_size)),
                facts.root.free_bytes() >> 20
            ),
        )?;
        let cloud_init = match (facts.cloud_init, facts.first_boot.cloud_init_disabled) {
            (true, true) => "there, kept from starting",
            (true, false) => "there",
            (false, _) => "not there",
        };
        row("cloud-init", cloud_init)?;
        row("host name", self.hostname.as_deref().unwrap_or("none"))?;
        row("time zone", self.timezone.as_deref().unwrap_or("none"))?;
        row("network", &listed(&programs(facts.network)))?;
        let country = self.network.country.as_deref();
        let wifi = listed(&self.network.wifi);
        row("wifi", &country.map_or(wifi.clone(), |country| format!("{wifi} (in {country})")))?;
        for path in &self.network.files {
            row("", path)?;
        }
        for account in &self.accounts {
            let groups = match &*listed(&account.groups) {
                "none" => String::new(),
                groups => format!(", in {groups}"),
            };
            let keys = match account.ssh_keys {
                0 => String::new(),
                1 => ", 1 SSH key".to_owned(),
                count => format!(", {count} SSH keys"),
            };
            row(
                "user",
                &format!(
                    "{} ({}), password {}{keys}{groups}",
                    account.name, account.uid, account.password
                ),
            )?;
        }
        for told in self.first_start.iter().flat_map(seed) {
            row("first start", &told)?;
        }
        row("enabled", &listed(&self.units.enabled))?;
        row("masked", &listed(&self.units.masked))?;
        for line in self.agent.iter().flat_map(agent) {
            row(line.0, &line.1)?;
        }
        Ok(())
    }
}

/// The programs that can bring up a network.
pub(super) fn programs(network: Network) -> Vec<&'static str> {
    let all = [
        (network.networkd, "systemd-networkd"),
        (network.resolved, "systemd-resolved"),
        (network.network_manager, "NetworkManager"),
        (network.wpa_supplicant, "wpa_supplicant"),
        (network.dhcpcd, "dhcpcd"),
    ];
    all.into_iter().filter(|(there, _)| *there).map(|(_, name)| name).collect()
}

/// What cloud-init is told.
fn seed(seed: &Seed) -> Vec<String> {
    let Seed { hostname, users, wifi, complaints } = seed;
    let mut told = vec![format!(
        "cloud-init: host name {}, users {}, wifi {}",
        hostname.as_deref().unwrap_or("as it is"),
        listed(users),
        listed(wifi)
    )];
    told.extend(complaints.iter().map(|complaint| format!("cloud-init: {complaint}")));
    told
}

fn agent(agent: &Agent) -> Vec<(&'static str, String)> {
    let Agent { bytes, sha256, profile, complaint } = agent;
    let mut rows = vec![("agent", format!("{bytes} bytes, sha256 {sha256}"))];
    if let Some(complaint) = complaint {
        rows.push(("", complaint.clone()));
    }
    let Some(Profile { cloud, sensors, .. }) = profile else { return rows };
    let Access { cloud, host, port, client_id, secured, identity, .. } = cloud.access();
    let secured = match (secured, identity) {
        (false, _) => "in clear",
        (true, Some(_)) => "over TLS, with a certificate of its own",
        (true, None) => "over TLS",
    };
    rows.push(("cloud", format!("{cloud} at {host}:{port}, {secured}, as {client_id}")));
    rows.extend(sensors.iter().map(|sensor| {
        let driver = sensor.driver.name();
        (
            "sensor",
            format!("{} ({driver}), every {}, to {}", sensor.id, sensor.interval, sensor.topic),
        )
    }));
    rows
}

/// Names in a row.
pub(super) fn listed(names: &[impl AsRef<str>]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
