//! What follows from a base for a device: which program runs the network, and what of the base's own first start must
//! not run. Each with its reason, for whoever wants to know why.

use imgbuild_schema::profile::{self, Backend};
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
        if facts.cloud_init {
            reasons.push("cloud-init is kept from starting: all that it would do is done".into());
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
