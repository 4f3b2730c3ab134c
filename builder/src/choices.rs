//! What follows from a base for a device: which program runs the network, by which way the settings reach the system, and
//! what of the base's own first start must not run. Each with its reason, for whoever wants to know why.

use imgbuild_schema::profile::{self, Backend, FirstBoot, Security};
use imgbuild_schema::{Code, DeviceSpec, Problem};

use crate::base::facts::Facts;

/// A program that runs the network, wired and not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    /// systemd-networkd, with `wpa_supplicant` for the radio.
    Networkd,
    /// `NetworkManager`.
    NetworkManager,
}

impl Manager {
    /// As it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Networkd => "systemd-networkd",
            Self::NetworkManager => "NetworkManager",
        }
    }
}

/// What follows from a base for a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choices {
    /// Who runs the network.
    pub manager: Manager,
    /// Why, and what else follows: a sentence each.
    pub reasons: Vec<String>,
}

impl Choices {
    /// What follows from these facts; a problem if the device wants what the base has not.
    pub fn of(spec: &DeviceSpec, facts: &Facts) -> Result<Self, Problem> {
        let (manager, reason) = manager(spec, facts)?;
        let mut reasons = vec![format!("{} runs the network: {reason}", manager.name())];
        match *spec.first_boot {
            FirstBoot::CloudInit => {
                has_cloud_init(spec, facts, manager)?;
                reasons.extend(by_cloud_init(spec));
            }
            FirstBoot::Direct if facts.cloud_init => {
                reasons
                    .push("cloud-init is kept from starting: all that it would do is done".into());
            }
            FirstBoot::Direct => {}
        }
        if facts.first_boot.wizard {
            reasons.push("the wizard that asks for a user is kept from starting".into());
        }
        if facts.first_boot.resizes {
            reasons.push(
                "the base's own growing of the root file system gives way to the card's".into(),
            );
        }
        Ok(Self { manager, reasons })
    }

    /// What would follow from a base that has not been read: its name is all that is known.
    pub fn unread(spec: &DeviceSpec) -> Self {
        let debian =
            matches!(&*spec.base, profile::Base::Named(base) if base.name().starts_with("debian"));
        let manager = match wanted(spec) {
            Backend::Auto if !debian => Manager::NetworkManager,
            Backend::NetworkManager => Manager::NetworkManager,
            Backend::Auto | Backend::WpaSupplicant => Manager::Networkd,
        };
        Self { manager, reasons: Vec::new() }
    }
}

/// The program that the profile wants to join networks.
fn wanted(spec: &DeviceSpec) -> Backend {
    spec.wifi.as_ref().map(|wifi| *wifi.backend).unwrap_or_default()
}

fn manager(spec: &DeviceSpec, facts: &Facts) -> Result<(Manager, &'static str), Problem> {
    let network = &facts.network;
    let lacking = |message: &str, help: &str| {
        let span = spec.wifi.as_ref().and_then(|wifi| wifi.backend.span()).or(spec.base.span());
        Problem::new(Code::NotInBase, span, message).label("is not in the base").help(help)
    };
    let wanted = wanted(spec);
    if wanted == Backend::NetworkManager && !network.network_manager {
        return Err(lacking("the base has no NetworkManager", "leave `backend` out"));
    }
    if network.network_manager && wanted != Backend::WpaSupplicant {
        return Ok((Manager::NetworkManager, "it is what the base has"));
    }
    if !network.networkd {
        return Err(lacking(
            "the base has neither NetworkManager nor systemd-networkd",
            "choose a base with one of them",
        ));
    }
    if spec.wifi.is_some() && !network.wpa_supplicant {
        return Err(lacking("the base has no wpa_supplicant", "choose a base that has it"));
    }
    let reason = if network.network_manager {
        "`backend: wpa_supplicant` takes it from NetworkManager, and two programs do not share a network"
    } else {
        "the base has no NetworkManager"
    };
    Ok((Manager::Networkd, reason))
}

/// All that `first_boot: cloud-init` needs is in the base.
fn has_cloud_init(spec: &DeviceSpec, facts: &Facts, manager: Manager) -> Result<(), Problem> {
    let lacks = if !facts.cloud_init {
        "the base has no cloud-init"
    } else if facts.first_boot.cloud_init_disabled {
        "the base keeps its cloud-init from starting"
    } else if manager != Manager::NetworkManager {
        "the base has no NetworkManager, by which cloud-init would have networks joined"
    } else if !facts.network.netplan {
        "the base has no netplan, to which cloud-init would tell the network"
    } else {
        return Ok(());
    };
    Err(Problem::new(Code::NotInBase, spec.first_boot.span(), lacks)
        .label("not with this base")
        .help("leave `first_boot` out, or choose a base that has it, such as `raspios-lite-arm64`"))
}

/// What it means that cloud-init does it.
fn by_cloud_init(spec: &DeviceSpec) -> Vec<String> {
    let mut reasons = vec![
        "cloud-init tells the system its names, accounts and networks at the first start: \
         `first_boot` asks for it"
            .to_owned(),
    ];
    let networks = spec.wifi.iter().flat_map(|wifi| &wifi.networks);
    let mut kinds: Vec<&str> = networks
        .filter_map(|network| match network.security {
            Security::Wpa2 => Some("the keys of WPA2 networks"),
            Security::Wpa3 => Some("the passphrases of WPA3 networks"),
            Security::Open => None,
        })
        .collect();
    if spec.access.as_ref().is_some_and(|access| access.password.is_some()) {
        kinds.push("the hash of the password");
    }
    kinds.sort_unstable();
    kinds.dedup();
    if !kinds.is_empty() {
        reasons.push(format!(
            "on the boot partition, where cloud-init finds them, whoever holds the card and every program on the device \
             can read {}",
            kinds.join(", ")
        ));
    }
    reasons
}
