//! A profile that is right, to be made wrong in one place, and somewhere to look things up.

use std::collections::HashMap;
use std::path::Path;

use imgbuild_schema::values::Secret;
use imgbuild_schema::{DeviceSpec, Lookup, LookupError, Outcome, read};

use crate::keys::{Keys, NOW};

/// A profile with one of everything.
pub(crate) const PROFILE: &str = r#"version: 1
device:
  id: greenhouse-01
  model: pi-3
  timezone: Europe/Amsterdam
base: debian-trixie-arm64
network:
  wifi:
    country: NL
    networks:
      - {ssid: Greenhouse, psk: !secret wifi.greenhouse}
      - {ssid: Cafe, security: open}
      - {ssid: Lab, security: wpa3, psk: !env LAB_PSK, hidden: true}
  ethernet: {address: 192.168.1.20/24, gateway: 192.168.1.1, dns: [192.168.1.1]}
access:
  user: pi
  password: !secret pi.password
  ssh_keys: [ssh-ed25519 AAAAC3Nz me]
cloud:
  mqtt:
    host: broker.example.org
    tls:
      ca: !file certs/ca.pem
      certificate: !file certs/device.pem
      private_key: !file certs/device.key
telemetry:
  topic: "{{ device.id }}/{{ sensor.id }}"
  interval: 5s
sensors:
  - {id: probe, tmp102: {bus: i2c-1, address: 0x48}, interval: 2s}
  - {id: cpu, cpu-temperature: {}}
"#;

/// [`PROFILE`] with another cloud.
pub(crate) fn with_cloud(cloud: &str) -> String {
    let (before, rest) = PROFILE.split_once("cloud:\n").unwrap();
    let (_, after) = rest.split_once("telemetry:\n").unwrap();
    format!("{before}cloud:\n  {cloud}\ntelemetry:\n{after}")
}

/// Files, secrets and variables that are not there but in memory.
#[derive(Debug)]
pub(crate) struct Memory {
    files: HashMap<&'static str, String>,
}

impl Default for Memory {
    fn default() -> Self {
        Self { files: Keys::get().files() }
    }
}

impl Lookup for Memory {
    fn file(&self, path: &Path) -> Result<String, LookupError> {
        self.files.get(path.to_str().unwrap()).cloned().ok_or_else(|| LookupError {
            message: format!("the file `{}` cannot be read: not there", path.display()),
            help: "check the path".into(),
        })
    }

    fn secret(&self, name: &str) -> Result<Secret, LookupError> {
        match name {
            "wifi.greenhouse" => Ok(Secret::new("correct horse".into())),
            "pi.password" => Ok(Secret::new("battery staple".into())),
            "azure.key" => Ok(Secret::new("O+H9VTcdJP0TQkl7bh4nVG0OJNrEataMpuWB54D0VEc=".into())),
            "azure.connection" => Ok(Secret::new(
                "HostName=a.azure-devices.net;DeviceId=b;SharedAccessKey=O+H9VTcdJP0TQkl7bh4n"
                    .into(),
            )),
            "azure.token" => Ok(Secret::new("SharedAccessSignature sr=a&sig=b&se=1".into())),
            _ => Err(LookupError {
                message: format!("there is no secret `{name}`"),
                help: "add it to secrets.yaml".into(),
            }),
        }
    }

    fn variable(&self, name: &str) -> Option<String> {
        (name == "LAB_PSK").then(|| "something long".into())
    }

    fn now(&self) -> u64 {
        NOW
    }
}

/// Reads a profile that lies at `kitchen.yaml`.
pub(crate) fn outcome(text: &str) -> Outcome {
    read("kitchen.yaml", text, &Memory::default())
}

/// What is printed about a profile.
pub(crate) fn told(text: &str) -> String {
    let outcome = outcome(text);
    outcome.report(outcome.problems.clone()).to_string()
}

/// Resolves a profile; a failure comes back as it would be printed.
pub(crate) fn resolve(text: &str) -> Result<DeviceSpec, String> {
    let outcome = outcome(text);
    let problems = outcome.problems.iter().chain(&outcome.not_yet).cloned().collect();
    let report = outcome.report(problems).to_string();
    outcome.spec.ok_or(report)
}

/// What is printed about the right profile with `right` replaced by `wrong`.
pub(crate) fn mistake(right: &str, wrong: &str) -> String {
    assert!(PROFILE.contains(right), "the profile has no {right:?}");
    let report = told(&PROFILE.replacen(right, wrong, 1));
    assert!(!report.is_empty(), "nothing was found wrong with {wrong:?}");
    report
}
