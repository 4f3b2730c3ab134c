//! How the device gets on its network, and who gets on the device.

use imgbuild_schema::profile::Model;
use imgbuild_schema::values::Secret;

use super::{Care, Interview, Question};
use crate::fault::Usage;
use crate::init::answers::{Access, Wifi};

impl Interview<'_> {
    pub(super) fn wifi(&mut self) -> anyhow::Result<()> {
        let flags = self.flags;
        let given = flags.wifi_country.is_some()
            || flags.wifi_ssid.is_some()
            || flags.wifi_open
            || self.given.psk.is_some();
        // the first boards have no radio
        let usual = !matches!(self.answers.model, Model::Pi1 | Model::Pi2);
        if !given && !self.agrees("Does it join a WiFi network?", usual)? {
            return Ok(());
        }
        // open, until the passphrase is known
        let example = Wifi { country: "NL".into(), ssid: "example".into(), psk: None };
        self.answers.wifi = Some(example);
        let question = Question {
            flag: "--wifi-country",
            path: "network.wifi.country",
            text: "The country it is in, whose rules for radio hold, as in NL",
            default: None,
        };
        self.text(&question, flags.wifi_country.as_deref(), &|answers, country| {
            change(&mut answers.wifi, |wifi| country.clone_into(&mut wifi.country));
        })?;
        let question = Question {
            flag: "--wifi-ssid",
            path: "network.wifi.networks.-.ssid",
            text: "The network's name",
            default: None,
        };
        self.text(&question, flags.wifi_ssid.as_deref(), &|answers, ssid| {
            change(&mut answers.wifi, |wifi| ssid.clone_into(&mut wifi.ssid));
        })?;
        if flags.wifi_open { Ok(()) } else { self.passphrase() }
    }

    fn passphrase(&mut self) -> anyhow::Result<()> {
        self.is_free("wifi")?;
        let question = Question {
            flag: "--wifi-psk-file",
            path: "network.wifi.networks.-.psk",
            text: "Its passphrase; empty if it is open to everybody",
            default: None,
        };
        let given = self.given.psk.clone();
        self.secret(&question, given.as_ref(), Care::MayBeEmpty, &|answers, psk| {
            let psk = Some(psk).filter(|psk| !psk.expose().is_empty());
            change(&mut answers.wifi, |wifi| wifi.psk = psk);
        })
    }

    pub(super) fn access(&mut self) -> anyhow::Result<()> {
        let flags = self.flags;
        let (key, password) = (flags.ssh_key.is_some(), self.given.password.is_some());
        let (key, password) = match &self.terminal {
            _ if key || password => (key, password),
            None if flags.user.is_none() => return Ok(()),
            None => {
                return Err(
                    Usage("--user: there is neither --ssh-key nor --password-file".into()).into()
                );
            }
            Some(terminal) => {
                let ways = [
                    ("nobody", ""),
                    ("key", "a user with an SSH key"),
                    ("password", "a user with a password, at the console"),
                ];
                match terminal.choose("Who can log in?", &ways, 0)? {
                    0 => return Ok(()),
                    way => (way == 1, way == 2),
                }
            }
        };
        self.user()?;
        self.ssh_key(key)?;
        if password { self.password() } else { Ok(()) }
    }

    fn user(&mut self) -> anyhow::Result<()> {
        // somebody with a password, until it is known what opens the account
        let password = Some(Secret::new("example".into()));
        self.answers.access = Some(Access { user: "pi".into(), ssh_key: None, password });
        let question = Question {
            flag: "--user",
            path: "access.user",
            text: "The user's name",
            default: self.terminal.is_some().then(|| "pi".to_owned()),
        };
        let given = self.flags.user.as_deref();
        self.text(&question, given, &|answers, user| {
            change(&mut answers.access, |access| user.clone_into(&mut access.user));
        })
    }

    fn ssh_key(&mut self, wanted: bool) -> anyhow::Result<()> {
        if !wanted {
            return Ok(());
        }
        change(&mut self.answers.access, |access| access.password = None);
        let question = Question {
            flag: "--ssh-key",
            path: "access.ssh_keys",
            text: "The file of the user's public SSH key",
            default: Some("~/.ssh/id_ed25519.pub".into()),
        };
        let given = self.flags.ssh_key.as_deref();
        self.text(&question, given, &|answers, path| {
            change(&mut answers.access, |access| access.ssh_key = Some(path.to_owned()));
        })
    }

    fn password(&mut self) -> anyhow::Result<()> {
        self.is_free("login")?;
        let question = Question {
            flag: "--password-file",
            path: "access.password",
            text: "The user's password",
            default: None,
        };
        let given = self.given.password.clone();
        self.secret(&question, given.as_ref(), Care::Typed, &|answers, password| {
            change(&mut answers.access, |access| access.password = Some(password));
        })
    }
}

/// Changes a part of the answers that was begun.
fn change<T>(part: &mut Option<T>, change: impl FnOnce(&mut T)) {
    change(part.as_mut().expect("it was begun before anything was asked about it"));
}
