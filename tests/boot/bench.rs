//! A card to boot and the machine to boot it in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use imgbuild::emulator::{Card, Clock, Console, Emulator, Line, Machine};
use tempfile::TempDir;

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

/// A folder with a profile and what it names.
pub(crate) struct Bench {
    folder: TempDir,
}

impl Bench {
    /// A profile for this base and model, with these sections and overlays, beside one for the clock: the time comes from a
    /// server on this machine. `cloud` puts files beside it and says where readings go.
    pub(crate) fn new(
        base: &str,
        model: &str,
        sections: &str,
        overlays: &[&str],
        cloud: impl FnOnce(&Self) -> String,
    ) -> Self {
        let overlays = [&["./time"], overlays].concat().join(", ");
        let bench = Self { folder: tempfile::tempdir().unwrap() };
        let cloud = cloud(&bench);
        let profile = format!(
            "version: 1\n\
             base: {base}\n\
             device: {{id: greenhouse-01, model: {model}, hostname: greenhouse, timezone: Europe/Amsterdam}}\n\
             cloud: {{{cloud}}}\n\
             overlays: [{overlays}]\n{sections}"
        );
        bench.put("card.yaml", &profile);
        time_server::start();
        bench.put("time/rootfs/etc/systemd/timesyncd.conf.d/proof.conf", "[Time]\nNTP=10.0.2.2\n");
        bench
    }

    pub(crate) fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Builds the card with the program, as a user would.
    pub(crate) fn build(&self) -> PathBuf {
        let image = self.path("card.img");
        self.imgbuild(&["card.yaml", "-o", "card.img"]);
        image
    }

    /// Runs the program here, and returns what it says.
    pub(crate) fn imgbuild(&self, arguments: &[&str]) -> String {
        let mut imgbuild = Command::new(env!("CARGO_BIN_EXE_imgbuild"));
        let output = imgbuild.current_dir(self.folder.path()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Writes the image to a card, which is larger.
    pub(crate) fn flash(&self, image: &Path) -> Card {
        fs::create_dir(self.path("pi")).unwrap();
        let card = Card::prepare(image, &self.path("pi")).unwrap();
        let file = fs::File::options().write(true).open(card.path()).unwrap();
        file.set_len(2 * file.metadata().unwrap().len()).unwrap();
        card
    }

    /// Puts the card into a Pi 3 and switches it on, its sensor feeling this temperature.
    pub(crate) fn power_on(&self, card: &Card, celsius: f64) -> Emulator {
        self.start(card, celsius, Machine::pi3(card).append(ETH0))
    }

    /// Switches a machine on, and waits until its network adapter is there.
    ///
    /// Now and then an emulated machine stands still before that, all its processors idle, and says nothing more. That is no
    /// fault of the card: what was seen is shown, the card is put back as it was, and the power switched on again.
    pub(crate) fn start(&self, card: &Card, celsius: f64, machine: Machine) -> Emulator {
        let machine = machine.append(EXTRA).clock(Clock::Unset);
        let kept = self.path("card-before");
        copy(card.path(), &kept);
        let mut limits = TRIES.into_iter();
        loop {
            let mut pi = machine.start(&self.path("pi")).unwrap();
            pi.set_temperature(celsius).unwrap();
            let limit = limits.next().expect("the last try ends the test");
            match pi.console().wait_for("register 'cdc_", limit) {
                Ok(_) => return pi,
                Err(error) if limits.len() > 0 && pi.died().is_none() => {
                    eprintln!("no network adapter: the machine is switched off and on. {error:#}");
                    show(&pi);
                    pi.cut_power().unwrap();
                    copy(&kept, card.path());
                }
                Err(error) => panic!("{error:#}"),
            }
        }
    }
}

/// How long the network adapter may take, at each try: it takes about a minute and a half.
const TRIES: [Duration; 3] =
    [Duration::from_mins(5), Duration::from_mins(5), Duration::from_mins(10)];

/// What the emulator says of a machine that stands still.
fn show(pi: &Emulator) {
    for command in ["info status", "info registers -a", "info usb"] {
        let arguments = serde_json::json!({ "command-line": command });
        match pi.qmp().execute("human-monitor-command", &arguments) {
            Ok(said) => {
                let said = said.as_str().unwrap_or_default();
                let telling =
                    said.lines().filter(|line| !line.contains("X0") || line.contains("PC="));
                eprintln!("{command}:\n{}", telling.take(40).collect::<Vec<_>>().join("\n"));
            }
            Err(error) => eprintln!("{command}: {error:#}"),
        }
    }
    for line in pi.first_uart().last_lines() {
        eprintln!("the first UART: {line}");
    }
}

/// A copy that keeps holes.
fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("--sparse=always").args([from, to]).status().unwrap();
    assert!(copied.success());
}

/// Waits until `found` finds something, for as long as the machine lives.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, pi: &Emulator, mut found: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(found) = found() {
            return found;
        }
        lives(pi);
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("no {what} within {PATIENCE:?}")
}

/// A system that has given up is not waited for.
pub(crate) fn lives(pi: &Emulator) {
    if let Some(died) = pi.died() {
        panic!("the emulator has ended: {died}");
    }
    let given_up = ["emergency mode", "Kernel panic"];
    let lines = pi.console().lines();
    let line = lines.iter().find(|line| given_up.iter().any(|it| line.text.contains(it)));
    assert!(line.is_none(), "{line:?}");
}
