//! The networks that an image joins, by the files that say so.

use serde::Serialize;

use crate::base::tree::{Kind, Tree};

/// What an image says about networks.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Network {
    /// Where its radio is, as two letters.
    pub country: Option<String>,
    /// The names of the WiFi networks that it joins, in the order in which they are written.
    pub wifi: Vec<String>,
    /// The files that configure networks.
    pub files: Vec<String>,
}

/// The folders in which such files lie.
const FOLDERS: [&str; 4] = [
    "/etc/NetworkManager/system-connections",
    "/etc/netplan",
    "/etc/systemd/network",
    "/etc/wpa_supplicant",
];

impl Network {
    /// Reads it out of both file systems.
    pub(super) fn read(root: &dyn Tree, boot: &dyn Tree) -> anyhow::Result<Self> {
        let mut network = Self::default();
        for folder in FOLDERS {
            for name in root.list(folder)? {
                let path = format!("{folder}/{name}");
                let is_file = root.metadata(&path)?.is_some_and(|it| it.kind == Kind::File);
                let endings = [".conf", ".link", ".network", ".nmconnection", ".yaml"];
                if !is_file || !endings.iter().any(|ending| name.ends_with(ending)) {
                    continue;
                }
                let text = root.read_text(&path)?.unwrap_or_default();
                network.add(&text);
                network.files.push(path);
            }
        }
        // what joins networks says where it is; where that says nothing, the kernel was told
        if network.country.is_none() {
            let line = boot.read_text("/cmdline.txt")?.unwrap_or_default();
            network.country = told_to_the_kernel(&line);
        }
        Ok(network)
    }

    /// What a file of `wpa_supplicant` or `NetworkManager` says of names and country.
    fn add(&mut self, text: &str) {
        for line in text.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix("ssid=") {
                self.wifi.push(ssid(name));
            } else if let Some(country) = line.strip_prefix("country=") {
                self.country = Some(country.trim_matches('"').to_owned());
            }
        }
    }
}

/// The country on a kernel's command line, of which the last one counts.
fn told_to_the_kernel(line: &str) -> Option<String> {
    let mut countries =
        line.split_whitespace().filter_map(|word| word.strip_prefix("cfg80211.ieee80211_regdom="));
    countries.next_back().map(str::to_owned)
}

/// A network's name, which may be in quotes, in hexadecimal digits, or in bytes with semicolons.
fn ssid(written: &str) -> String {
    if let Some(quoted) = written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        return quoted.to_owned();
    }
    let decimal =
        |text: &str| text.trim_end_matches(';').split(';').map(|it| it.parse().ok()).collect();
    let hexadecimal = |text: &str| {
        let pairs = text.as_bytes().chunks(2);
        pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
    };
    let bytes: Option<Vec<u8>> =
        if written.ends_with(';') { decimal(written) } else { hexadecimal(written) };
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_else(|| written.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_however_they_are_written() {
        let mut network = Network::default();
        network.add("country=NL\nnetwork={\n\tssid=\"Green house\"\n\tpsk=secret\n}\n");
        network.add("network={\n\tssid=4c6162\n}\n");
        network.add("[wifi]\nssid=Caf\u{e9}\n[wifi-security]\npsk=secret\n");
        network.add("[wifi]\nssid=72;105;\n");
        assert_eq!(network.wifi, ["Green house", "Lab", "Caf\u{e9}", "Hi"]);
        assert_eq!(network.country.as_deref(), Some("NL"));
    }

    #[test]
    fn the_kernel_is_told_the_country_by_a_word_of_its_own() {
        let of = "cfg80211.ieee80211_regdom";
        assert_eq!(
            told_to_the_kernel(&format!("rootwait {of}=GB quiet {of}=NL")).as_deref(),
            Some("NL")
        );
        assert_eq!(told_to_the_kernel(&format!("rootwait x{of}=GB")), None);
    }
}
