//! Is there a way to the cloud?
//!
//! A Raspberry Pi is up before its WiFi is. Trying without a route only makes noise, so the uplink waits
//! for one. After a while it tries all the same: a broker in the own network needs no default route.

use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing::{info, warn};

use crate::clock::Clock;

/// How often to look.
const LOOK: Duration = Duration::from_millis(250);

/// Watches the machine's routes.
#[derive(Clone, Debug)]
pub struct Network {
    root: PathBuf,
    patience: Duration,
    /// What has been said since there last was a network: each thing is said once.
    said: Cell<Said>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    Nothing,
    Waiting,
    OutOfPatience,
}

impl Network {
    /// The network of the machine whose files lie below `root`, to be waited for with some patience.
    pub fn new(root: PathBuf, patience: Duration) -> Self {
        Self { root, patience, said: Cell::new(Said::Nothing) }
    }

    /// Waits until there is a route to a host, or patience is over.
    pub async fn wait(&self, host: &str, clock: &dyn Clock) {
        let start = clock.boot();
        while !self.reaches(host) {
            if self.is_news(Said::Waiting) {
                info!(host, "waiting for the network");
            }
            if clock.boot().0.saturating_sub(start.0) >= self.patience {
                if self.is_news(Said::OutOfPatience) {
                    warn!(
                        host,
                        hint = "check WiFi name, password and country, or the cable",
                        "there is still no network; trying all the same"
                    );
                }
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
        if self.said.replace(Said::Nothing) != Said::Nothing {
            info!(seconds_since_boot = clock.boot().0.as_secs(), "the network is there");
        }
    }

    fn is_news(&self, what: Said) -> bool {
        let news = self.said.get() < what;
        if news {
            self.said.set(what);
        }
        news
    }

    fn reaches(&self, host: &str) -> bool {
        let address = host.parse::<IpAddr>().ok();
        host == "localhost"
            || address.is_some_and(|address| address.is_loopback())
            || reaches_by_v4(&self.root, address)
            || default_by_v6(&self.root)
    }
}

/// Is there a default route, or one to the address itself?
fn reaches_by_v4(root: &Path, address: Option<IpAddr>) -> bool {
    let target = match address {
        Some(IpAddr::V4(address)) => address,
        // a name, or an address of the other kind: only the default route will do
        _ => Ipv4Addr::UNSPECIFIED,
    };
    let table = std::fs::read_to_string(root.join("proc/net/route")).unwrap_or_default();
    table.lines().skip(1).any(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let [_, destination, _, flags, _, _, _, mask, ..] = fields[..] else { return false };
        let (Some(destination), Some(mask), Ok(flags)) =
            (kernel_v4(destination), kernel_v4(mask), u32::from_str_radix(flags, 16))
        else {
            return false;
        };
        flags & UP != 0 && flags & REJECT == 0 && u32::from(target) & mask == destination
    })
}

const UP: u32 = 0x0001;
const REJECT: u32 = 0x0200;

/// The kernel prints addresses as the number that their bytes are in memory.
fn kernel_v4(text: &str) -> Option<u32> {
    u32::from_str_radix(text, 16).ok().map(|number| u32::from_be_bytes(number.to_ne_bytes()))
}

fn default_by_v6(root: &Path) -> bool {
    let table = std::fs::read_to_string(root.join("proc/net/ipv6_route")).unwrap_or_default();
    table.lines().any(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let [destination, length, _, _, _, _, _, _, flags, device] = fields[..] else {
            return false;
        };
        // the kernel keeps a default route of its own on `lo` that leads nowhere
        let flags = u32::from_str_radix(flags, 16).unwrap_or(REJECT);
        length == "00"
            && destination.bytes().all(|digit| digit == b'0')
            && device != "lo"
            && flags & REJECT == 0
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const HEAD: &str =
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
    const LAN: &str = "wlan0\t0001A8C0\t00000000\t0001\t0\t0\t600\t00FFFFFF\t0\t0\t0\n";
    const DEFAULT: &str = "wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n";
    const NOWHERE: &str = "00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n";
    const DEFAULT6: &str = "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003    wlan0\n";

    fn network(v4: &str, v6: &str) -> (tempfile::TempDir, Network) {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("proc/net")).unwrap();
        fs::write(root.path().join("proc/net/route"), format!("{HEAD}{v4}")).unwrap();
        fs::write(root.path().join("proc/net/ipv6_route"), v6).unwrap();
        let network = Network::new(root.path().to_owned(), Duration::from_mins(1));
        (root, network)
    }

    #[test]
    fn a_name_needs_a_default_route() {
        assert!(!network("", NOWHERE).1.reaches("broker.example"));
        assert!(!network(LAN, NOWHERE).1.reaches("broker.example"));
        assert!(network(DEFAULT, "").1.reaches("broker.example"));
        assert!(network("", &format!("{NOWHERE}{DEFAULT6}")).1.reaches("broker.example"));
    }

    #[test]
    fn an_address_needs_a_route_of_its_own_or_the_default() {
        assert!(network(LAN, "").1.reaches("192.168.1.5"));
        assert!(!network(LAN, "").1.reaches("192.168.2.5"));
        assert!(network(DEFAULT, "").1.reaches("192.168.2.5"));
    }

    #[test]
    fn this_machine_needs_none() {
        for host in ["localhost", "127.0.0.1", "::1"] {
            assert!(network("", "").1.reaches(host), "{host}");
        }
    }

    #[tokio::test]
    async fn waiting_ends_with_the_route() {
        let (root, network) = network("", "");
        let clock = crate::clock::SystemClock;
        let wait = network.wait("broker.example", &clock);
        let come_up = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            fs::write(root.path().join("proc/net/route"), format!("{HEAD}{DEFAULT}")).unwrap();
        };
        tokio::join!(wait, come_up);
    }

    #[tokio::test]
    async fn waiting_ends_with_patience() {
        let (_root, mut network) = network("", "");
        network.patience = Duration::ZERO;
        network.wait("broker.example", &crate::clock::SystemClock).await;
    }
}
