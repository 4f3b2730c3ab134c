//! A card to boot: its profile, its keys, its broker.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use imgbuild::emulator::{Broker, Card, Clock, Console, Emulator, Line, Machine, Message, Setup};
use tempfile::TempDir;

use crate::authority::{Authority, Valid};
use crate::time_server;

/// How long anything may take on a busy machine: ten times what it takes on an idle one.
pub(crate) const PATIENCE: Duration = Duration::from_mins(10);

/// What the machine is given beside the card: the journal on the console, so that what happens inside can be waited for;
/// and time for devices to appear, of which systemd gives them a minute and a half: enough for a board, and not for
/// every machine that emulates one. A boot partition that came too late would end the boot in emergency mode.
const EXTRA: &str = "systemd.journald.forward_to_console=1 systemd.journald.max_level_console=info \
    systemd.default_device_timeout_sec=600";

/// Two of the kernel's drivers take QEMU's network adapter, and it gets its name from the one that comes first. Without the
/// other one it is always the same: eth0…
pub(crate) const ETH0: &str = "modprobe.blacklist=cdc_subset";
/// …or usb0.
pub(crate) const USB0: &str = "modprobe.blacklist=cdc_ether";

/// The name that the broker's certificate bears.
pub(crate) const HOST: &str = "broker.test";

/// One emulated Pi at a time, whatever the test runner thinks.
pub(crate) fn one_at_a_time() -> MutexGuard<'static, ()> {
    static PI: Mutex<()> = Mutex::new(());
    PI.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps what a console has shown by the end of a test, below cargo's `target/tmp`; when the test fails, shows the end of
/// it and what may explain it.
pub(crate) struct Witness {
    name: &'static str,
    console: Console,
}

impl Witness {
    pub(crate) fn of(name: &'static str, pi: &Emulator) -> Self {
        Self { name, console: pi.console().clone() }
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        /// What a boot shows in about a minute.
        const LAST: usize = 150;
        const TELLING: [&str; 11] = [
            "imgbuild",
            "PROOF",
            "usb",
            "eth0",
            "timesyncd",
            "cloud-init",
            "Timed out",
            "ailed",
            "cycle",
            "login:",
            "panic",
        ];
        let shown = |line: &Line| format!("{:7.1} {}\n", line.at.as_secs_f64(), line.text);
        let lines: Vec<String> = self.console.lines().iter().map(shown).collect();
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(self.name).with_extension("log");
        if let Err(error) = fs::write(&path, lines.concat()) {
            eprintln!("{}: {error}", path.display());
        }
        if std::thread::panicking() {
            let (before, last) = lines.split_at(lines.len().saturating_sub(LAST));
            let telling = before.iter().filter(|line| TELLING.iter().any(|it| line.contains(it)));
            let telling: String = telling.map(String::as_str).collect();
            eprintln!("of {}:\n{telling}…\n{}", self.name, last.concat());
        }
    }
}

/// A folder with a profile, its keys, and a broker that asks for the card's certificate.
pub(crate) struct Proof {
    folder: TempDir,
    pub(crate) broker: Broker,
}

impl Proof {
    /// A profile for a Pi 3 with Debian, of these sections and overlays.
    pub(crate) fn new(sections: &str, overlays: &[&str]) -> Self {
        Self::on("debian-trixie-arm64", "pi-3", sections, overlays)
    }

    /// A profile for this base and model, of these sections and overlays, beside those for the device's keys and its
    /// broker, and for the clock: the time comes from a server on this machine.
    pub(crate) fn on(base: &str, model: &str, sections: &str, overlays: &[&str]) -> Self {
        let overlays = [&["./time"], overlays].concat().join(", ");
        let folder = tempfile::tempdir().unwrap();
        let clients = Authority::new("devices");
        let device = clients.client("greenhouse-01", Valid::Now);
        let put = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            path
        };
        put("device.pem", &device.certificate);
        put("device.key", &device.key);
        let clients = put("clients.pem", clients.pem());
        let broker = Broker::start(&Setup::mutual_tls(HOST, clients)).unwrap();
        put("ca.pem", &broker.authority().unwrap());
        let profile = format!(
            "version: 1\n\
             base: {base}\n\
             device: {{id: greenhouse-01, model: {model}, hostname: greenhouse, timezone: Europe/Amsterdam}}\n\
             cloud:\n  mqtt:\n    host: {HOST}\n    \
                 connect: {{address: '10.0.2.2:{}'}}\n    \
                 tls: {{ca: !file ca.pem, certificate: !file device.pem, private_key: !file device.key}}\n\
             overlays: [{overlays}]\n{sections}",
            broker.address().port()
        );
        put("card.yaml", &profile);
        time_server::start();
        put("time/rootfs/etc/systemd/timesyncd.conf.d/proof.conf", "[Time]\nNTP=10.0.2.2\n");
        Self { folder, broker }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Builds the card with the program, as a user would.
    pub(crate) fn build(&self) -> PathBuf {
        let image = self.path("card.img");
        let output = Command::new(env!("CARGO_BIN_EXE_imgbuild"))
            .arg(self.path("card.yaml"))
            .arg("-o")
            .arg(&image)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        image
    }

    /// Writes the image to a card, which is larger.
    pub(crate) fn flash(&self, image: &Path) -> Card {
        fs::create_dir(self.path("pi")).unwrap();
        let card = Card::prepare(image, &self.path("pi")).unwrap();
        let file = fs::File::options().write(true).open(card.path()).unwrap();
        file.set_len(2 * file.metadata().unwrap().len()).unwrap();
        card
    }

    /// Puts the card into a Pi 3 and switches it on.
    pub(crate) fn power_on(&self, card: &Card) -> Emulator {
        self.start(Machine::pi3(card).append(ETH0))
    }

    /// Switches a machine on.
    pub(crate) fn start(&self, machine: Machine) -> Emulator {
        machine.append(EXTRA).clock(Clock::Unset).start(&self.path("pi")).unwrap()
    }

    /// The next message of a sensor; those of others before it are skipped.
    pub(crate) fn next_of(&self, sensor: &str, pi: &Emulator) -> Record {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            match self.broker.messages().recv_timeout(Duration::from_secs(1)) {
                Ok(message) => {
                    let record = Record::of(&message);
                    if message.topic == format!("greenhouse-01/{sensor}") {
                        return record;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => panic!("the broker has ended"),
                Err(RecvTimeoutError::Timeout) => lives(pi),
            }
        }
        panic!("no message of {sensor} reached the broker within {PATIENCE:?}")
    }
}

/// A system that has given up is not waited for.
fn lives(pi: &Emulator) {
    if let Some(died) = pi.died() {
        panic!("the emulator has ended: {died}");
    }
    let given_up = ["emergency mode", "Kernel panic"];
    let lines = pi.console().lines();
    let line = lines.iter().find(|line| given_up.iter().any(|it| line.text.contains(it)));
    assert!(line.is_none(), "{line:?}");
}

/// What the agent publishes, as far as the proofs look at it.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) sequence: u64,
    pub(crate) timestamp: f64,
    pub(crate) temperature: f64,
    /// How long after its sampling it was received, in seconds.
    pub(crate) age: f64,
    /// The message as it came, for whoever has to explain it.
    pub(crate) text: String,
}

impl Record {
    pub(crate) fn of(message: &Message) -> Self {
        let text = message.text();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let number = |key: &str| json[key].as_f64().unwrap_or_else(|| panic!("no {key} in {text}"));
        assert_eq!(
            (json["device"].as_str(), json["status"].as_str()),
            (Some("greenhouse-01"), Some("success")),
            "{text}"
        );
        let timestamp = number("utc_timestamp");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        Self {
            sequence: json["sequence"].as_u64().unwrap(),
            timestamp,
            temperature: number("temperature"),
            age: now - timestamp,
            text,
        }
    }
}
