//! A broker that cannot be trusted, or does not trust us: one clear line, no end of trying, and a
//! connection as soon as it is right.

use std::time::Duration;

use crate::device::{Device, plain, secured};
use crate::support::authority::{Authority, Pair, Valid};
use crate::support::broker::{Broker, Door};
use crate::support::wait_for;

struct World {
    brokers: Authority,
    devices: Authority,
}

impl World {
    fn new() -> Self {
        Self { brokers: Authority::new("brokers"), devices: Authority::new("devices") }
    }

    fn right(&self) -> Door {
        self.with(self.brokers.server(&["localhost"], Valid::Now))
    }

    fn with(&self, certificate: Pair) -> Door {
        let clients = Some(self.devices.pem().to_owned());
        Door { certificate: Some(certificate), clients, password: None }
    }

    /// The agent meets the wrong broker, says so once, and connects when the right one is there.
    fn meets(&self, wrong: &Door, complaint: &str, hint: &str) {
        let identity = self.devices.client("greenhouse-01", Valid::Now);
        let mut broker = Broker::start(wrong);
        let device = Device::new("{}");
        let mqtt = secured(&device, broker.port(), self.brokers.pem(), Some(&identity));
        device.edit_profile("mqtt: {}", &format!("mqtt: {mqtt}"));
        complains_then_connects(&device, &mut broker, &self.right(), complaint, hint);
    }
}

fn complains_then_connects(
    device: &Device,
    broker: &mut Broker,
    right: &Door,
    complaint: &str,
    hint: &str,
) {
    let agent = device.start(&[]);
    agent.wait_for_log(complaint);
    agent.wait_for_log(hint);
    std::thread::sleep(Duration::from_secs(1)); // about five more attempts
    assert_eq!(agent.count("cannot connect"), 1, "{}", agent.log());
    assert_eq!(agent.count("pause=0.1s queued="), 1, "{}", agent.log());
    wait_for("the health file to say it", || {
        device.status()?["last_error"].as_str()?.contains(complaint).then_some(())
    });
    broker.open(right);
    agent.wait_for_log("connected host=localhost");
}

#[test]
fn a_broker_of_another_authority() {
    let world = World::new();
    let stranger = Authority::new("strangers").server(&["localhost"], Valid::Now);
    world.meets(
        &world.with(stranger),
        "from an authority that the profile does not trust",
        "set `tls: {ca: …}`",
    );
}

#[test]
fn a_broker_of_another_name() {
    let world = World::new();
    let other = world.brokers.server(&["broker.example", "*.broker.example"], Valid::Now);
    world.meets(
        &world.with(other),
        "is for broker.example, *.broker.example, and not for localhost",
        "write the name as the certificate bears it",
    );
}

#[test]
fn a_broker_whose_certificate_has_expired() {
    let world = World::new();
    let expired = world.brokers.server(&["localhost"], Valid::Expired);
    world.meets(&world.with(expired), "expired at 2021-01-01 00:00 UTC", "renew it at the broker");
}

#[test]
fn a_broker_whose_certificate_is_not_valid_yet() {
    let world = World::new();
    let early = world.brokers.server(&["localhost"], Valid::NotYet);
    world.meets(
        &world.with(early),
        "is not valid before 2048-01-01 00:00 UTC",
        "the clock here says 20",
    );
}

#[test]
fn a_broker_that_does_not_know_our_authority() {
    let world = World::new();
    let door = Door { clients: Some(Authority::new("others").pem().to_owned()), ..world.right() };
    world.meets(&door, "the broker refuses our certificate", "hint=");
}

#[test]
fn a_broker_that_speaks_no_tls() {
    let world = World::new();
    world.meets(&Door::default(), "during the TLS handshake", "is this the broker's port for TLS");
}

#[test]
fn a_broker_that_asks_for_a_certificate_we_do_not_have() {
    let world = World::new();
    let mut broker = Broker::start(&world.right());
    let device = Device::new("{}");
    let mqtt = secured(&device, broker.port(), world.brokers.pem(), None);
    device.edit_profile("mqtt: {}", &format!("mqtt: {mqtt}"));
    let open = Door { clients: None, ..world.right() };
    complains_then_connects(
        &device,
        &mut broker,
        &open,
        "asks for a certificate",
        "set `certificate`",
    );
}

#[test]
fn a_broker_that_does_not_take_the_password() {
    let door = |password: &str| Door {
        password: Some(("sensor".into(), password.into())),
        ..Door::default()
    };
    let mut broker = Broker::start(&door("another"));
    let device = Device::new("{}");
    let password = device.put("credentials/password", "the right one\n");
    let mqtt = plain(broker.port())
        .replace('}', &format!(", username: sensor, password: {}}}", password.display()));
    device.edit_profile("mqtt: {}", &format!("mqtt: {mqtt}"));
    let right = door("the right one");
    complains_then_connects(
        &device,
        &mut broker,
        &right,
        "does not allow the client",
        "password of `sensor`",
    );
}

#[test]
fn a_broker_that_is_not_there() {
    let mut broker = Broker::start(&Door::default());
    broker.stop();
    let device = Device::new(&plain(broker.port()));
    let complaint = format!("connection refused by localhost:{}", broker.port());
    complains_then_connects(
        &device,
        &mut broker,
        &Door::default(),
        &complaint,
        "is the broker running",
    );
}

#[test]
fn a_broker_that_never_answers() {
    let broker = Broker::start(&Door::default());
    broker.freeze();
    let device = Device::new(&plain(broker.port()));
    let agent = device.start(&[]);
    agent.wait_for_log("no answer from localhost");
    broker.thaw();
    agent.wait_for_log("connected host=localhost");
}
