//! The three agents as they were cross-compiled, each under emulation of its processor: static, small, and
//! able to publish over mutual TLS.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use imgbuild::emulator::{Broker, Setup};

use crate::bench::PATIENCE;
use crate::proof::{HOST, Record};
use crate::support::authority::{Authority, Valid};

/// Each target with the program that emulates its processor; the ARMv6 of the Pi 1 and Zero is an ARM1176.
const AGENTS: [(&str, &[&str]); 3] = [
    ("aarch64-unknown-linux-musl", &["qemu-aarch64-static"]),
    ("armv7-unknown-linux-musleabihf", &["qemu-arm-static", "-cpu", "cortex-a7"]),
    ("arm-unknown-linux-musleabihf", &["qemu-arm-static", "-cpu", "arm1176"]),
];

/// What an agent may take up on the card.
const LARGEST: u64 = 5 << 20;

fn agent(target: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let agent = root.join("target/agents").join(target).join("imgbuild-agent");
    assert!(agent.exists(), "{} is not there; `make agents` compiles it", agent.display());
    agent
}

#[test]
fn each_agent_is_static_and_small() {
    for (target, _) in AGENTS {
        let agent = agent(target);
        let output = Command::new("file").arg("--brief").arg(&agent).output().unwrap();
        let kind = String::from_utf8(output.stdout).unwrap();
        assert!(kind.contains("statically linked") && kind.contains("ARM"), "{target}: {kind}");
        let bytes = fs::metadata(&agent).unwrap().len();
        eprintln!("{target}: {} KiB", bytes / 1024);
        assert!(bytes <= LARGEST, "{target}: {bytes} bytes");
    }
}

#[test]
fn each_agent_publishes_over_mutual_tls_on_its_processor() {
    for (target, emulator) in AGENTS {
        publishes(target, emulator);
    }
}

/// Ends the program with the test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn publishes(target: &str, emulator: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    };
    let clients = Authority::new("devices");
    let device = clients.client("greenhouse-01", Valid::Now);
    let clients = put("clients.pem", clients.pem());
    let broker = Broker::start(&Setup::mutual_tls(HOST, clients)).unwrap();
    // a machine of its own to look at, whose clock is right
    put("root/sys/class/thermal/thermal_zone0/type", "cpu-thermal\n");
    put("root/sys/class/thermal/thermal_zone0/temp", "48312\n");
    put("root/run/systemd/timesync/synchronized", "");
    put("root/proc/cmdline", "\n");
    let (ca, certificate, key) = (
        put("ca.pem", &broker.authority().unwrap()),
        put("device.pem", &device.certificate),
        put("device.key", &device.key),
    );
    let profile = put(
        "profile.yaml",
        &format!(
            "version: 1\ndevice: {{id: greenhouse-01}}\n\
             cloud:\n  mqtt:\n    host: {HOST}\n    port: 8883\n    client_id: greenhouse-01\n    \
                 connect: {{address: '{}'}}\n    \
                 tls: {{ca: {}, identity: {{certificate: {}, private_key: {}}}}}\n\
             telemetry: {{qos: 1, queue: {{}}, reconnect: {{}}, connect_timeout: 60s, ack_timeout: 60s}}\n\
             sensors: [{{id: cpu, topic: greenhouse-01/cpu, interval: 1s, driver: {{cpu-temperature: {{}}}}}}]\n",
            broker.address(),
            ca.display(),
            certificate.display(),
            key.display()
        ),
    );
    let mut command = Command::new(emulator[0]);
    command.args(&emulator[1..]).arg(agent(target)).arg("--profile").arg(profile);
    command.arg("--state").arg(folder.path().join("state"));
    command.arg("--runtime").arg(folder.path().join("runtime"));
    command.arg("--root").arg(folder.path().join("root"));
    fs::create_dir(folder.path().join("state")).unwrap();
    fs::create_dir(folder.path().join("runtime")).unwrap();
    let _running = Running(command.spawn().unwrap());
    let mut last = 0;
    for _ in 0..3 {
        let message = broker.next_message(PATIENCE).unwrap();
        let record = Record::of(&message);
        assert_eq!(message.topic, "greenhouse-01/cpu", "{target}");
        assert!(
            (record.temperature - 48.312).abs() < 0.001 && record.sequence > last,
            "{target}: {record:?}"
        );
        last = record.sequence;
    }
}
