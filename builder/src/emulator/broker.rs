//! A real MQTT broker on this machine, for as long as a run lasts.
//!
//! Devices reach it over TLS on a port of the loopback; its own subscriber sits on a socket in a
//! folder that nobody else can read.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::authority::Authority;
use super::child::Child;
use super::configuration;
use super::console::Console;
use super::redirect::Redirect;
use super::subscriber::{Message, Subscriber};
use crate::scratch;
use crate::tool::Tool;

/// How long the broker may take to be ready; it takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// How many free ports are tried: one may be taken by someone else before the broker has it.
const ATTEMPTS: u32 = 3;

/// How devices are let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setup {
    /// In clear.
    Plain,
    /// Over TLS.
    Tls {
        /// The name that the server's certificate bears: the cloud's, as the device expects it.
        host: String,
        /// The file with the authorities (PEM) of the devices' certificates; with it, a device
        /// without a certificate is refused.
        clients: Option<PathBuf>,
    },
}

impl Setup {
    /// Over TLS, as the server `host`.
    pub fn tls(host: impl Into<String>) -> Self {
        Self::Tls { host: host.into(), clients: None }
    }

    /// Over TLS, as the server `host`, for devices with a certificate of these authorities.
    pub fn mutual_tls(host: impl Into<String>, clients: impl Into<PathBuf>) -> Self {
        Self::Tls { host: host.into(), clients: Some(clients.into()) }
    }
}

/// A running broker. Dropping it ends it.
#[derive(Debug)]
pub struct Broker {
    running: Option<Running>,
    address: SocketAddr,
    authority: Option<Authority>,
    sender: Sender<Message>,
    messages: Receiver<Message>,
    folder: scratch::Folder,
    power_on: Instant,
}

/// Fields in the order they are to be ended.
#[derive(Debug)]
struct Running {
    _subscriber: Subscriber,
    log: Console,
    _child: Child,
}

impl Broker {
    /// Starts a broker on a free port. It is ready when this returns.
    pub fn start(setup: &Setup) -> Result<Self> {
        for _ in 1..ATTEMPTS {
            match Self::at(free_address()?, setup) {
                Err(error) if format!("{error:#}").contains("Address already in use") => {}
                other => return other,
            }
        }
        Self::at(free_address()?, setup)
    }

    fn at(address: SocketAddr, setup: &Setup) -> Result<Self> {
        let folder = scratch::Folder::new()?;
        let authority = configuration::write(setup, address, folder.path())?;
        let (sender, messages) = mpsc::channel();
        let mut broker = Self {
            running: None,
            address,
            authority,
            sender,
            messages,
            folder,
            power_on: Instant::now(),
        };
        broker.resume()?;
        Ok(broker)
    }

    /// Where it listens on this machine.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What leads an emulated Pi here.
    pub fn redirect(&self) -> Redirect {
        let redirect = Redirect::to_this_machine(self.address);
        match &self.authority {
            Some(authority) => redirect.trusting(authority.der()),
            None => redirect,
        }
    }

    /// The certificate of its authority (PEM), if it speaks TLS.
    pub fn authority(&self) -> Option<String> {
        self.authority.as_ref().map(Authority::pem)
    }

    /// The messages, in the order of arrival, each once.
    pub fn messages(&self) -> &Receiver<Message> {
        &self.messages
    }

    /// Waits for the next message.
    pub fn next_message(&self, timeout: Duration) -> Result<Message> {
        self.messages
            .recv_timeout(timeout)
            .with_context(|| format!("no message reached the broker within {timeout:?}"))
    }

    /// What the broker says about its clients; none while it is interrupted.
    pub fn log(&self) -> Option<&Console> {
        self.running.as_ref().map(|running| &running.log)
    }

    /// Ends the broker as a crash would; [`resume`](Self::resume) starts it again, same port, same
    /// authority, nothing remembered.
    pub fn interrupt(&mut self) {
        self.running = None;
    }

    /// Starts an interrupted broker again.
    pub fn resume(&mut self) -> Result<()> {
        if self.running.is_none() {
            self.running = Some(self.run().context("starting the broker")?);
        }
        Ok(())
    }

    fn run(&self) -> Result<Running> {
        let folder = self.folder.path();
        let log = folder.join("log");
        let tool = Tool::new("mosquitto", "starting the broker").arg("-c").arg(folder.join("conf"));
        let child = Child::start(&tool, "the broker", &log, |_| {})?;
        // it reads to the end by itself
        let (log, _) =
            Console::follow("the broker's log", &log, self.power_on, child.watch().clone())?;
        log.wait_for(" running", PATIENCE)?;
        let subscriber = Subscriber::start(&folder.join("socket"), self.sender.clone())?;
        Ok(Running { _subscriber: subscriber, log, _child: child })
    }
}

/// A port that was free a moment ago.
fn free_address() -> Result<SocketAddr> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("looking for a free port")?;
    listener.local_addr().context("looking for a free port")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    /// A device, played by another implementation, that publishes one message.
    fn publish(broker: &Broker, arguments: &[&str]) -> Result<String> {
        Tool::new("mosquitto_pub", "publishing")
            .args(["-h", "localhost", "-p", &broker.address().port().to_string()])
            .args(["-q", "1", "-i", "greenhouse-01", "-t", "greenhouse-01/air", "-m", "23.6"])
            .args(arguments)
            .run()
    }

    fn file(folder: &TempDir, name: &str, text: &str) -> String {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn assert_arrives(broker: &Broker) {
        let message = broker.next_message(SOON).unwrap();
        assert_eq!(
            (message.topic.as_str(), message.text().as_str()),
            ("greenhouse-01/air", "23.6")
        );
    }

    #[test]
    fn over_tls_the_server_bears_the_clouds_name() {
        let folder = tempfile::tempdir().unwrap();
        let broker = Broker::start(&Setup::tls("localhost")).unwrap();
        let authority = file(&folder, "ca.pem", &broker.authority().unwrap());
        publish(&broker, &["--cafile", &authority]).unwrap();
        assert_arrives(&broker);

        // a device that trusts somebody else, or wants another cloud, does not come in
        let stranger = file(&folder, "stranger.pem", &Authority::new().unwrap().pem());
        assert!(publish(&broker, &["--cafile", &stranger]).is_err());
        let other = Broker::start(&Setup::tls("cloud.example")).unwrap();
        let authority = file(&folder, "other.pem", &other.authority().unwrap());
        assert!(publish(&other, &["--cafile", &authority]).is_err());
        assert!(broker.messages().try_recv().is_err());
    }

    #[test]
    fn with_an_authority_for_devices_one_without_a_certificate_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let devices = Authority::new().unwrap();
        let clients = file(&folder, "clients.pem", &devices.pem());
        let broker = Broker::start(&Setup::mutual_tls("localhost", clients)).unwrap();
        let authority = file(&folder, "ca.pem", &broker.authority().unwrap());
        assert!(publish(&broker, &["--cafile", &authority]).is_err());

        let device = devices.client("greenhouse-01").unwrap();
        let certificate = file(&folder, "device.pem", &device.certificate);
        let key = file(&folder, "device.key", &device.private_key);
        publish(&broker, &["--cafile", &authority, "--cert", &certificate, "--key", &key]).unwrap();
        assert_arrives(&broker);
    }

    #[test]
    fn a_broker_in_clear_comes_back_after_an_interruption() {
        let mut broker = Broker::start(&Setup::Plain).unwrap();
        assert_eq!(broker.authority(), None);
        publish(&broker, &[]).unwrap();
        assert_arrives(&broker);
        broker.interrupt();
        assert!(publish(&broker, &[]).is_err());
        broker.resume().unwrap();
        publish(&broker, &[]).unwrap();
        assert_arrives(&broker);
    }

    #[test]
    fn a_port_that_someone_else_has_is_told_and_another_is_tried() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let error = Broker::at(taken.local_addr().unwrap(), &Setup::Plain).unwrap_err();
        assert!(format!("{error:#}").contains("Address already in use"), "{error:#}");
    }
}
