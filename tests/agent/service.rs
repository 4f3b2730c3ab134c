//! The agent as systemd sees it.

use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use crate::device::{Device, plain, wait_for_status};
use crate::support::broker::{Broker, Door};

/// systemd's end of the socket.
struct Manager(UnixDatagram);

impl Manager {
    fn new(device: &Device) -> Self {
        let socket = UnixDatagram::bind(device.path("notify")).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Self(socket)
    }

    fn next(&self) -> String {
        let mut bytes = [0; 4096];
        let length = loop {
            match self.0.recv(&mut bytes) {
                // a machine that was stopped for a moment interrupts a call with a time limit
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                received => break received.unwrap(),
            }
        };
        String::from_utf8(bytes[..length].to_vec()).unwrap().trim().to_owned()
    }

    /// Reads on until something is said, and returns everything until then.
    fn wait_for(&self, text: &str) -> Vec<String> {
        let end = Instant::now() + Duration::from_secs(20);
        let mut heard = Vec::new();
        while !heard.iter().any(|said| said == text) {
            assert!(Instant::now() < end, "no {text} in {heard:?}");
            heard.push(self.next());
        }
        heard
    }
}

#[test]
fn systemd_is_told_how_it_stands() {
    let broker = Broker::start(&Door::default());
    let device = Device::new(&plain(broker.port()));
    let manager = Manager::new(&device);
    let mut command = device.agent(&[]);
    command.env("NOTIFY_SOCKET", device.path("notify")).env("WATCHDOG_USEC", "2000000");
    let agent = device.start_command(&mut command);
    assert_eq!(manager.next(), "READY=1");
    manager.wait_for("STATUS=Connected");
    let start = Instant::now();
    for _ in 0..4 {
        manager.wait_for("WATCHDOG=1");
    }
    assert!(start.elapsed() > Duration::from_secs(1), "not more often than needed");
    assert_eq!(agent.terminate(), Some(0));
    manager.wait_for("STOPPING=1");
}

#[test]
fn the_watchdog_is_fed_while_the_broker_is_away() {
    let device = Device::new(&plain(crate::support::broker::free_port()));
    device.edit_profile("first: 100ms, max: 200ms", "first: 30s, max: 30s");
    let manager = Manager::new(&device);
    let mut command = device.agent(&[]);
    command.env("NOTIFY_SOCKET", device.path("notify")).env("WATCHDOG_USEC", "4000000");
    let _agent = device.start_command(&mut command);
    for _ in 0..5 {
        manager.wait_for("WATCHDOG=1");
    }
}

#[test]
fn it_ends_at_once_whatever_it_is_about() {
    // waiting for the time, and waiting to try again
    let device = Device::new(&plain(crate::support::broker::free_port()));
    device.edit_profile("first: 100ms, max: 200ms", "first: 30s, max: 30s");
    let marker = device.path("root/run/systemd/timesync/synchronized");
    for state in ["backing-off", "waiting-for-clock"] {
        let agent = device.start(&[]);
        wait_for_status(&device, "state", state);
        let start = Instant::now();
        assert_eq!(agent.terminate(), Some(0));
        assert!(start.elapsed() < Duration::from_secs(2));
        let _ = std::fs::remove_file(&marker);
        let _ = std::fs::remove_file(device.path("run/status.json"));
    }
}

#[test]
fn the_broker_hears_goodbye() {
    let broker = Broker::start(&Door::default());
    let device = Device::new(&plain(broker.port()));
    let agent = device.start(&[]);
    agent.wait_for_log("connected host=localhost");
    assert_eq!(agent.terminate(), Some(0));
    assert!(broker.log().contains("Received DISCONNECT from greenhouse-01"), "{}", broker.log());
}

#[test]
fn no_secret_is_ever_said() {
    const CANARY: &str = "canary-7f3a";
    let door = |password: &str| Door {
        password: Some(("sensor".into(), password.into())),
        ..Door::default()
    };
    let mut broker = Broker::start(&door("another"));
    let device = Device::new("{}");
    let password = device.put("credentials/password", CANARY);
    let user = format!(", username: sensor, password: {}}}", password.display());
    let mqtt = plain(broker.port()).replace('}', &user);
    device.edit_profile("mqtt: {}", &format!("mqtt: {mqtt}"));
    let agent = device.start(&["--log-level", "trace"]);
    agent.wait_for_log("cannot connect");
    broker.open(&door(CANARY));
    agent.wait_for_log("connected host=localhost");
    wait_for_status(&device, "state", "connected");
    let mut said = agent.log() + &device.status().unwrap().to_string();
    assert_eq!(agent.terminate(), Some(0));
    for arguments in [&["check"][..], &["read"], &["--dry-run"]] {
        let output = device.run(arguments);
        assert_eq!(output.exit, Some(0), "{output:?}");
        said += &output.stdout;
        said += &output.stderr;
    }
    assert!(said.contains("sensor") && !said.contains(CANARY), "{said}");
}
