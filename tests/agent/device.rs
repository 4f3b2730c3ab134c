//! A machine for the agent to run on: its folders, its profile, its one sensor.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::doubles::server::{Double, Ledger};
use crate::support::authority::Pair;
use crate::support::process::{Process, command};
use crate::support::wait_for;

/// A machine whose clock is right and whose processor has 48.3 °C.
pub(crate) struct Device {
    folder: TempDir,
}

impl Device {
    /// A machine with a profile whose `mqtt` section is given.
    pub(crate) fn new(mqtt: &str) -> Self {
        let device = Self { folder: tempfile::tempdir().unwrap() };
        device.put("root/sys/class/thermal/thermal_zone0/type", "cpu-thermal\n");
        device.put("root/sys/class/thermal/thermal_zone0/temp", "48312\n");
        device.put("root/sys/class/thermal/thermal_zone0/hwmon0/name", "cpu_thermal\n");
        device.put("root/run/systemd/timesync/synchronized", "");
        device.write_profile(&profile(mqtt));
        device
    }

    pub(crate) fn write_profile(&self, text: &str) {
        self.put("profile.yaml", text);
    }

    /// Changes the profile's text.
    pub(crate) fn edit_profile(&self, old: &str, new: &str) {
        let text = fs::read_to_string(self.path("profile.yaml")).unwrap();
        assert!(text.contains(old), "{old} is not in the profile");
        self.write_profile(&text.replace(old, new));
    }

    pub(crate) fn put(&self, path: &str, text: &str) -> PathBuf {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// A command line of the agent on this machine.
    pub(crate) fn agent(&self, arguments: &[&str]) -> Command {
        let mut agent = command(env!("CARGO_BIN_EXE_imgbuild-agent"));
        agent.arg("--profile").arg(self.path("profile.yaml"));
        agent.arg("--root").arg(self.path("root"));
        agent.env("STATE_DIRECTORY", self.path("state"));
        agent.env("RUNTIME_DIRECTORY", self.path("run"));
        for name in
            ["IMGBUILD_LOG", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "JOURNAL_STREAM"]
        {
            agent.env_remove(name);
        }
        agent.args(arguments);
        agent
    }

    /// Runs the agent to its end. What is said has the machine's folder taken out.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        let output = self.agent(arguments).output().unwrap();
        let text = |bytes: &[u8]| {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            text.replace(&format!("{}/", self.folder.path().display()), "")
        };
        Said {
            exit: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// Starts the agent.
    pub(crate) fn start(&self, arguments: &[&str]) -> Agent {
        self.start_command(&mut self.agent(arguments))
    }

    pub(crate) fn start_command(&self, agent: &mut Command) -> Agent {
        let log = self.path("log");
        let errors = fs::File::options().create(true).append(true).open(&log).unwrap();
        Agent { process: Process::start(agent.stderr(errors)), log }
    }

    /// What the health file says; none while there is none.
    pub(crate) fn status(&self) -> Option<serde_json::Value> {
        let text = fs::read_to_string(self.path("run/status.json")).ok()?;
        Some(serde_json::from_str(&text).expect("a whole file, always"))
    }
}

/// What a finished agent said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) exit: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A running agent.
pub(crate) struct Agent {
    process: Process,
    log: PathBuf,
}

impl Agent {
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Waits until the log says something.
    #[track_caller]
    pub(crate) fn wait_for_log(&self, text: &str) {
        let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while !self.log().contains(text) {
            assert!(std::time::Instant::now() < end, "no {text:?} in:\n{}", self.log());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// Kills it, as a power cut would.
    pub(crate) fn kill(self) {
        self.process.kill();
    }

    /// Asks it to end, and says with what exit code it did.
    pub(crate) fn terminate(self) -> Option<i32> {
        self.process.terminate()
    }

    /// How many lines of the log contain a text.
    pub(crate) fn count(&self, text: &str) -> usize {
        self.log().lines().filter(|line| line.contains(text)).count()
    }
}

/// A profile that reads ten times a second and is impatient.
pub(crate) fn profile(mqtt: &str) -> String {
    format!(
        "version: 1
device: {{id: greenhouse-01}}
cloud:
  mqtt: {mqtt}
telemetry:
  qos: 1
  queue: {{max_bytes: 4MiB}}
  reconnect: {{first: 100ms, max: 200ms, stable: 5s, jitter: 0%}}
  connect_timeout: 2s
  ack_timeout: 1s
sensors:
  - {{id: cpu, topic: greenhouse-01/cpu, interval: 100ms, driver: {{cpu-temperature: {{}}}}}}
"
    )
}

/// The `mqtt` section for a broker that speaks no TLS.
pub(crate) fn plain(port: u16) -> String {
    format!("{{host: localhost, port: {port}, client_id: greenhouse-01}}")
}

/// The `mqtt` section for a broker over TLS, with the files it names put on the machine.
pub(crate) fn secured(
    device: &Device,
    port: u16,
    authority: &str,
    identity: Option<&Pair>,
) -> String {
    let ca = device.put("credentials/ca.pem", authority);
    let identity = identity.map_or(String::new(), |pair| {
        let certificate = device.put("credentials/device.pem", &pair.certificate);
        let key = device.put("credentials/device.key", &pair.key);
        format!(
            ", identity: {{certificate: {}, private_key: {}}}",
            certificate.display(),
            key.display()
        )
    });
    format!(
        "{{host: localhost, port: {port}, client_id: greenhouse-01, tls: {{ca: {}{identity}}}}}",
        ca.display()
    )
}

/// The numbers in messages.
pub(crate) fn sequences(messages: &[(String, String)]) -> Vec<u64> {
    let number = |payload: &str| {
        let record: serde_json::Value = serde_json::from_str(payload).unwrap();
        record["sequence"].as_u64().unwrap()
    };
    messages.iter().map(|(_, payload)| number(payload)).collect()
}

/// Waits until the health file says something of a key.
#[track_caller]
pub(crate) fn wait_for_status(device: &Device, key: &str, value: &str) {
    wait_for(&format!("{key} to be {value}"), || (device.status()?[key] == value).then_some(()));
}

/// What came while tokens of so long a life were renewed: four times, or for as many seconds as `IMGBUILD_RENEWAL` says.
/// There were no more connections than tokens.
pub(crate) fn renewals(double: &Double, life: Duration) -> Ledger {
    let asked = std::env::var("IMGBUILD_RENEWAL").ok();
    let time = asked.map_or(life * 4, |seconds| Duration::from_secs(seconds.parse().unwrap()));
    let begin = Instant::now();
    while begin.elapsed() < time || double.ledger().connects.len() < 4 {
        assert!(begin.elapsed() < time + Duration::from_secs(30), "tokens are not renewed");
        std::thread::sleep(Duration::from_millis(100));
    }
    let ledger = double.ledger();
    let (connects, messages) = (ledger.connects.len(), ledger.messages.len());
    let most = begin.elapsed().as_millis() / life.mul_f64(0.75).as_millis() + 2;
    assert!((connects as u128) < most, "{connects} connections in {:?}", begin.elapsed());
    eprintln!("{:?}: {connects} tokens of {life:?}, {messages} messages", begin.elapsed());
    ledger
}
