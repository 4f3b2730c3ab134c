//! The agent's figures: how long tokens take, and the way from a connection to its first acknowledgement.
//!
//! `cargo bench --package imgbuild-agent`, on one core.

#![expect(clippy::print_stdout, reason = "figures are printed")]
#![expect(clippy::unwrap_used, reason = "who cannot measure ends")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use imgbuild_agent::clock::Utc;
use imgbuild_agent::mqtt::{Connection, Login, Message, Options};
use imgbuild_agent::tls::{self, Trust};
use imgbuild_agent::token::{Jwt, Mint, Sas};
use imgbuild_schema::values::{Algorithm, QoS};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

#[path = "../../tests/support/mod.rs"]
#[expect(dead_code, reason = "shared with tests, which need more of it")]
mod support;

use support::authority::{Authority, Valid};
use support::broker::{Broker, Door};

const TOKENS: u32 = 10_000;

/// How often a way is gone; the middle one counts.
const TIMES: usize = 31;

fn main() {
    tokens();
    first_acknowledgement();
}

/// Tokens for so many devices, each with a key of its own resource.
fn tokens() {
    let life = Duration::from_hours(1);
    let device = |number: u32| format!("example.azure-devices.net/devices/device-{number}");
    let begin = Instant::now();
    for number in 0..TOKENS {
        Sas::new(&device(number), b"a key of thirty-two bytes, or so", life).mint(now()).unwrap();
    }
    say(&format!("{TOKENS} shared access signatures"), begin.elapsed(), "2 s");
    let key = Authority::new("devices").client("device", Valid::Now).key;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let begin = Instant::now();
    for _ in 0..TOKENS {
        let jwt = Jwt::new("greenhouses", &key, Algorithm::Es256, life).unwrap();
        jwt.mint(now()).unwrap();
    }
    say(&format!("{TOKENS} JSON Web Tokens, ES256"), begin.elapsed(), "2 s");
}

/// From the beginning of a connection over mutual TLS to the acknowledgement of its first message, beside the handshake
/// alone.
fn first_acknowledgement() {
    let (brokers, devices) = (Authority::new("brokers"), Authority::new("devices"));
    let broker = Broker::start(&Door {
        certificate: Some(brokers.server(&["localhost"], Valid::Now)),
        clients: Some(devices.pem().to_owned()),
        password: None,
    });
    let folder = tempfile::tempdir().unwrap();
    let device = devices.client("bench", Valid::Now);
    let put = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
        folder.path().join(name)
    };
    let (certificate, key) =
        (put("device.pem", &device.certificate), put("device.key", &device.key));
    let authorities: Vec<CertificateDer<'static>> = vec![brokers.der().to_vec().into()];
    let config = || {
        let identity = tls::Identity::read(&certificate, &key).unwrap();
        Arc::new(tls::client_config(Trust::These(&authorities), Some(identity)).unwrap())
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mut whole, mut shakes) = (Vec::new(), Vec::new());
    for _ in 0..TIMES {
        shakes.push(shake(broker.port(), config()));
        let options = Options {
            host: "localhost".into(),
            dial: ("localhost".into(), broker.port()),
            client_id: "bench".into(),
            login: Login::Nobody,
            tls: Some(config()),
            keepalive: Duration::from_mins(1),
            connect_timeout: Duration::from_secs(10),
            kept: false,
            will: None,
        };
        whole.push(runtime.block_on(publish(&options)));
    }
    let [whole, shake] = [whole, shakes].map(|mut times| {
        times.sort();
        times[times.len() / 2]
    });
    say(
        "connect to first PUBACK over mutual TLS, handshake left out",
        whole.saturating_sub(shake),
        "150 ms",
    );
}

async fn publish(options: &Options) -> Duration {
    let begin = Instant::now();
    let mut connection = Connection::open(options, now()).await.unwrap();
    let message = Message::new("bench", "{}", QoS::AtLeastOnce);
    let receipt = connection.publish(message).unwrap();
    tokio::select! {
        arrived = receipt.arrived() => assert!(arrived),
        error = connection.lost() => panic!("{error}"),
    }
    let time = begin.elapsed();
    connection.close(Duration::from_secs(1)).await;
    time
}

/// A handshake and nothing else.
fn shake(port: u16, config: Arc<rustls::ClientConfig>) -> Duration {
    let begin = Instant::now();
    let mut socket = std::net::TcpStream::connect(("localhost", port)).unwrap();
    let name = "localhost".try_into().unwrap();
    let mut connection = rustls::ClientConnection::new(config, name).unwrap();
    while connection.is_handshaking() {
        connection.complete_io(&mut socket).unwrap();
    }
    begin.elapsed()
}

fn now() -> Utc {
    Utc::from(std::time::SystemTime::now())
}

fn say(what: &str, time: Duration, goal: &str) {
    println!("{what}: {:.1} ms (goal: {goal})", time.as_secs_f64() * 1000.0);
}
