//! A real broker (mosquitto), and a judge who subscribes to everything and writes it down.

use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;

use super::authority::Pair;
use super::process::{Process, command};
use super::wait_for;

/// How a broker lets clients in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Door {
    /// The broker's own certificate; none: it does not speak TLS.
    pub(crate) certificate: Option<Pair>,
    /// The authority (PEM) whose certificates clients must show.
    pub(crate) clients: Option<String>,
    /// The user name and password that clients must give.
    pub(crate) password: Option<(String, String)>,
}

/// A broker on this machine. Beside the door it has a plain back door, for the judge.
pub(crate) struct Broker {
    folder: TempDir,
    port: u16,
    back_door: u16,
    process: Option<Process>,
}

impl Broker {
    /// Starts a broker.
    pub(crate) fn start(door: &Door) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut broker = Self { folder, port: free_port(), back_door: free_port(), process: None };
        broker.open(door);
        broker
    }

    /// The port that clients come to.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The same broker at the same port with another door.
    pub(crate) fn open(&mut self, door: &Door) {
        self.stop();
        let configuration = self.configuration(door);
        fs::write(self.path("mosquitto.conf"), configuration).unwrap();
        self.resume();
    }

    /// Ends the broker. What it has acknowledged it keeps.
    pub(crate) fn stop(&mut self) {
        if let Some(process) = self.process.take() {
            process.terminate();
        }
    }

    /// Stops the broker in its tracks: connections stay open and nothing answers.
    pub(crate) fn freeze(&self) {
        self.process.as_ref().expect("a running broker").signal("-STOP");
    }

    /// Lets a frozen broker go on.
    pub(crate) fn thaw(&self) {
        self.process.as_ref().expect("a running broker").signal("-CONT");
    }

    /// Starts the broker again as it was.
    pub(crate) fn resume(&mut self) {
        let output = fs::File::options().create(true).append(true).open(self.path("log")).unwrap();
        let mut mosquitto = command("mosquitto");
        mosquitto.arg("-c").arg(self.path("mosquitto.conf")).stdout(Stdio::null()).stderr(output);
        let mut process = Process::start(&mut mosquitto);
        wait_for("the broker to listen", || {
            assert!(!process.has_ended(), "the broker ended: {}", self.log());
            let listening = |port| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
            (listening(self.port) && listening(self.back_door)).then_some(())
        });
        self.process = Some(process);
    }

    /// What the broker says itself.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Someone who writes down every message from now on, whatever happens to the broker meanwhile.
    pub(crate) fn judge(&self) -> Judge {
        let seated = "Sending SUBACK to judge";
        let before = self.log().matches(seated).count();
        let judge = Judge::new(self.back_door);
        wait_for("the judge to sit down", || {
            (self.log().matches(seated).count() > before).then_some(())
        });
        judge
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn configuration(&self, door: &Door) -> String {
        // as root it would become another user, who cannot read the test's folder
        let mut text = format!(
            "user root\nper_listener_settings true\npersistence true\npersistence_location {}/\n\
             log_dest stderr\nlog_type all\nmax_queued_messages 0\n\
             listener {} 127.0.0.1\nallow_anonymous true\nlistener {} 127.0.0.1\n",
            self.folder.path().display(),
            self.back_door,
            self.port,
        );
        let file = |name: &str, content: &str| {
            let path = self.path(name);
            fs::write(&path, content).unwrap();
            path.display().to_string()
        };
        if let Some(Pair { certificate, key }) = &door.certificate {
            let (certificate, key) = (file("broker.pem", certificate), file("broker.key", key));
            let _ = writeln!(text, "certfile {certificate}\nkeyfile {key}");
        }
        if let Some(authority) = &door.clients {
            let _ = writeln!(
                text,
                "cafile {}\nrequire_certificate true",
                file("clients.pem", authority)
            );
        }
        match &door.password {
            Some((user, password)) => {
                let path = self.path("passwords");
                hash_password(&path, user, password);
                let _ = writeln!(text, "allow_anonymous false\npassword_file {}", path.display());
            }
            None => text += "allow_anonymous true\n",
        }
        text
    }
}

fn hash_password(path: &Path, user: &str, password: &str) {
    let _ = fs::remove_file(path);
    let mut passwd = command("mosquitto_passwd");
    let output = passwd.args(["-b", "-c"]).arg(path).args([user, password]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// Writes down every message that the broker has acknowledged.
pub(crate) struct Judge {
    folder: TempDir,
    _process: Process,
}

impl Judge {
    fn new(port: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = fs::File::create(folder.path().join("messages")).unwrap();
        let errors = fs::File::create(folder.path().join("errors")).unwrap();
        let mut sub = command("mosquitto_sub");
        sub.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-i", "judge", "-c"]);
        sub.args(["-q", "1", "-t", "#", "-F", "%t %p"]);
        let process = Process::start(sub.stdout(log).stderr(errors));
        Self { folder, _process: process }
    }

    /// Topic and payload of each message so far, in the order of arrival.
    pub(crate) fn messages(&self) -> Vec<(String, String)> {
        let text = fs::read_to_string(self.folder.path().join("messages")).unwrap();
        // a line that is still being written waits for its end
        let complete = text.rsplit_once('\n').map_or("", |(complete, _)| complete);
        let messages = complete.lines().filter_map(|line| line.split_once(' '));
        messages.map(|(topic, payload)| (topic.to_owned(), payload.to_owned())).collect()
    }

    /// Waits until there are so many messages.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize) -> Vec<(String, String)> {
        wait_for(&format!("{count} messages"), || {
            let messages = self.messages();
            (messages.len() >= count).then_some(messages)
        })
    }
}
