//! Raspberry Pi OS, in its likeness: its first start as a builder prepares it, on each of the programs that can run its
//! network, and by way of cloud-init.

#[path = "../fixtures/raspios/mod.rs"]
mod fixture;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Command, Output};

use imgbuild::emulator::{Emulator, Machine};

use crate::access_point::{self, PASSPHRASE};
use crate::bench::{PATIENCE, USB0, Witness, one_at_a_time};
use crate::proof::Proof;

/// Networks of every kind, the password of none written twice.
fn sections(backend: &str, ethernet: &str) -> String {
    format!(
        "access: {{user: ada, password: 'a password', ssh_keys: [!file key.pub]}}\n\
         network:\n  ethernet: {{{ethernet}}}\n  wifi:\n    country: NL\n    backend: {backend}\n    networks:\n      \
         - {{ssid: wpa2, psk: '{PASSPHRASE}'}}\n      \
         - {{ssid: wpa3, security: wpa3, psk: '{PASSPHRASE}'}}\n      \
         - {{ssid: open, security: open}}\n      \
         - {{ssid: hidden, hidden: true, psk: '{PASSPHRASE}'}}\n\
         sensors: [{{id: probe, tmp102: {{}}}}]\n"
    )
}

struct Trial {
    proof: Proof,
    ssh: SocketAddr,
    pi: Emulator,
    _witness: Witness,
}

impl Trial {
    /// A card on the likeness, in a Pi that is remembered by `name` and whose SSH, at `address`, can be reached from here.
    fn start(name: &'static str, sections: &str, address: Ipv4Addr) -> Self {
        let base = fixture::trixie_arm64().path;
        let proof = Proof::on(
            &format!("{{file: {}}}", base.display()),
            "pi-3",
            sections,
            &["./access-point"],
        );
        let key = proof.path("key");
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key);
        assert!(keygen.status().unwrap().success());
        access_point::overlay(
            &proof.path("access-point"),
            &base,
            include_str!("access-points.sh"),
            |put| {
                let secured = format!("wpa=2\nrsn_pairwise=CCMP\nwpa_passphrase={PASSPHRASE}\n");
                let wpa2 = format!("{secured}wpa_key_mgmt=WPA-PSK\n");
                for (name, settings) in [
                    ("wpa2", wpa2.clone()),
                    ("wpa3", format!("{secured}wpa_key_mgmt=SAE\nieee80211w=2\n")),
                    ("open", String::new()),
                    ("hidden", format!("{wpa2}ignore_broadcast_ssid=1\n")),
                    ("stranger", wpa2.replace(PASSPHRASE, "another passphrase")),
                ] {
                    let common = "interface=wlan1\ndriver=nl80211\nhw_mode=g\nchannel=1\n";
                    let ssid = if name == "stranger" { "wpa2" } else { name };
                    put(
                        &format!("opt/ap/{name}.conf"),
                        &format!("{common}ssid={ssid}\n{settings}"),
                    );
                }
            },
        );
        let image = proof.build();
        let card = proof.flash(&image);
        let ssh = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let pi = proof.start(
            &card,
            23.5,
            Machine::pi3(&card).append(USB0).forward(ssh, (address, 22).into()),
        );
        let witness = Witness::of(name, &pi);
        Self { proof, ssh, pi, _witness: witness }
    }

    /// Waits for a line, and returns it.
    fn wait(&self, what: &str) -> String {
        let waited = self.pi.console().wait_for(what, PATIENCE);
        let line = waited.unwrap_or_else(|error| panic!("{error:#}"));
        eprintln!("{:.1} s {}", line.at.as_secs_f64(), line.text.trim());
        line.text.trim().to_owned()
    }

    /// Calls a command on the Pi over SSH, with these options.
    fn ssh(&self, options: &[&str]) -> Output {
        let known =
            ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "ConnectTimeout=120"];
        Command::new("ssh")
            .args(known.iter().chain(&["BatchMode=yes"]).flat_map(|option| ["-o", option]))
            .arg("-p")
            .arg(self.ssh.port().to_string())
            .args(options)
            .args(["ada@127.0.0.1", "id --name --user; sudo --non-interactive true || echo asks"])
            .output()
            .unwrap()
    }

    /// All that is the same whoever runs the network, and whoever has told the system. `odd` is what must not be seen
    /// beside what is always so.
    fn prove(&self, account: &str, odd: &[&str]) {
        self.proof.next_of("probe", &self.pi);
        for network in ["hidden", "open", "wpa3", "wpa2"] {
            self.wait(&format!("PROOF joined {network}"));
        }
        self.wait("PROOF took its passphrase for wrong");
        self.wait("PROOF joined wpa2 again");
        self.wait(&format!("PROOF account {account}"));
        let groups = self.wait("PROOF groups ada ");
        assert!(groups.contains(" sudo ") && groups.contains(" adm "), "{groups}");
        // since Europe/Amsterdam is an hour or two before UTC
        let system = self.wait("PROOF system greenhouse 127.0.1.1 CE");
        assert!(system.ends_with("T C.UTF-8 us"), "{system}");
        self.wait("PROOF all joined");
        let key = self.proof.path("key");
        let output = self.ssh(&["-i", key.to_str().unwrap(), "-o", "IdentitiesOnly=yes"]);
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(said, "ada\nasks\n", "{}", String::from_utf8_lossy(&output.stderr));
        let refused = self.ssh(&["-o", "PubkeyAuthentication=no"]);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(said.contains("Permission denied (publickey)"), "{said}");
        let odd = [&["PROOF failed unit", "PROOF the wizard asks"], odd].concat();
        let lines = self.pi.console().lines();
        let odd = lines.iter().filter(|line| odd.iter().any(|it| line.text.contains(it)));
        assert_eq!(odd.map(|line| &line.text).collect::<Vec<_>>(), Vec::<&String>::new());
    }
}

#[test]
fn network_manager_joins_every_kind_of_network() {
    let _one = one_at_a_time();
    let address = Ipv4Addr::new(10, 0, 2, 77);
    let ethernet = format!("address: {address}/24, gateway: 10.0.2.2, dns: [10.0.2.3]");
    let trial = Trial::start("raspios-network-manager", &sections("auto", &ethernet), address);
    trial.prove("ada:x:1000:1000", &["cloud-init["]);
    trial.pi.stop().unwrap();
}

#[test]
fn wpa_supplicant_joins_every_kind_of_network_in_its_place() {
    let _one = one_at_a_time();
    let sections = sections("wpa_supplicant", "address: dhcp");
    let trial = Trial::start("raspios-wpa-supplicant", &sections, Ipv4Addr::new(10, 0, 2, 15));
    trial.prove("ada:x:1000:1000", &["cloud-init["]);
    // of the wired network: the others have no name server
    trial.wait("PROOF resolv.conf nameserver 10.0.2.3");
    trial.pi.stop().unwrap();
}

#[test]
fn cloud_init_joins_every_kind_of_network_by_network_manager() {
    let _one = one_at_a_time();
    let address = Ipv4Addr::new(10, 0, 2, 77);
    let ethernet = format!("address: {address}/24, gateway: 10.0.2.2, dns: [10.0.2.3]");
    let sections = format!("first_boot: cloud-init\n{}", sections("auto", &ethernet));
    let trial = Trial::start("raspios-cloud-init", &sections, address);
    // a new account, or the one that waits for a name, as the base's cloud-init has it
    trial.prove("ada:x:100", &[]);
    for line in [
        "extended_status: done",
        "errors: []",
        "recoverable_errors: {}",
        "  Valid schema user-data",
        "  Valid schema network-config",
    ] {
        trial.wait(&format!("PROOF cloud-init {line}"));
    }
    trial.pi.stop().unwrap();
}
