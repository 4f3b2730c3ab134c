//! The agent at its work: all parts put together, from the start to a clean end.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use imgbuild_schema::CardProfile;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::sleep;
use tracing::{info, warn};

use crate::clock::gate::Gate;
use crate::clock::{Clock, SystemClock, Utc};
use crate::config::Config;
use crate::control::Controls;
use crate::fault::Fault;
use crate::health::{Health, State};
use crate::network::Network;
use crate::outbox::{Memory, Outbox, Shared};
use crate::provider;
use crate::record::Record;
use crate::sampler::{self, Running};
use crate::sequence::Sequence;
use crate::stop;
use crate::uplink::Uplink;
use crate::uplink::conversation::Talk;
use crate::watchdog::{self, Pulse};

/// How long to wait for a network, and then for the time, before going on without.
const PATIENCE: Duration = Duration::from_mins(1);

/// How often it is looked whether something has become due.
const GLANCE: Duration = Duration::from_millis(500);

/// How long the sampler may take to end.
const FAREWELL: Duration = Duration::from_secs(1);

/// Where the agent finds and keeps things.
#[derive(Clone, Debug)]
pub struct Places {
    /// The profile.
    pub profile: PathBuf,
    /// The machine's files lie below this folder.
    pub root: PathBuf,
    /// What is kept for ever.
    pub state: PathBuf,
    /// What is kept until the machine stops.
    pub runtime: PathBuf,
}

/// Reads and publishes until a signal says to end.
pub fn run(config: &Config, places: &Places) -> Result<(), Fault> {
    let runtime = runtime()?;
    let result = runtime.block_on(serve(config, places));
    // a name that is still being looked up is not worth waiting for
    runtime.shutdown_background();
    result
}

/// A runtime on this thread alone.
pub fn runtime() -> Result<tokio::runtime::Runtime, Fault> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Fault::machine(format!("starting the runtime: {error}")))
}

async fn serve(config: &Config, places: &Places) -> Result<(), Fault> {
    let machine = |error: std::io::Error| Fault::machine(format!("starting: {error}"));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut signals = Signals::listen().map_err(machine)?;
    let pulse = |name| Arc::new(Pulse::new(name, clock.clone()));
    let (sampler_pulse, uplink_pulse) = (pulse("sampler"), pulse("uplink"));

    let (sender, records) = unbounded_channel();
    let sequence = Sequence::open(&places.state);
    let sensors = &config.profile.sensors;
    // what was set from afar holds from the first reading on
    let orders = sampler::Orders::default();
    let controls = Controls::open(sensors, &places.state, &places.runtime, orders.sender());
    let sampler = sampler::start(
        sensors,
        &places.root,
        sequence,
        clock.clone(),
        sampler_pulse.clone(),
        orders,
        sender,
    )
    .map_err(machine)?;
    let talk = RefCell::new(Talk::new(provider::dialogue(&config.profile.cloud), controls));
    announce(config, clock.as_ref());
    watchdog::ready();

    let outbox = Shared::new(Memory::new(config.profile.telemetry.queue.max_bytes.bytes()));
    let health = Health::default();
    let (stopper, stop) = stop::channel();
    let uplink = Uplink {
        config,
        talk: &talk,
        outbox: &outbox,
        clock: clock.as_ref(),
        network: Network::new(places.root.clone(), PATIENCE),
        gate: gate(places),
        health: &health,
        pulse: &uplink_pulse,
        stop: &stop,
    };
    let end = async {
        signals.received().await;
        watchdog::stopping();
        end_sampler(sampler).await;
        stopper.stop();
        std::future::pending::<()>().await;
    };
    let pulses = [sampler_pulse, uplink_pulse.clone()];
    tokio::select! {
        // what the sampler has read is in the outbox before the uplink hears of an end
        biased;
        () = take_in(records, &outbox, &talk, &config.profile, clock.as_ref()) => {}
        () = end => {}
        () = uplink.run() => {}
        () = health.keep(&places.runtime, &outbox) => {}
        () = tend(&talk) => {}
        () = watchdog::feed(&pulses) => {}
    }
    health.enter(State::Stopped);
    health.write(&places.runtime, &outbox);
    say_what_is_left(&outbox);
    Ok(())
}

fn gate(places: &Places) -> Gate {
    let written = std::fs::metadata(&places.profile).and_then(|metadata| metadata.modified());
    Gate {
        root: places.root.clone(),
        written: written.map_or(Utc::default(), Utc::from),
        patience: PATIENCE,
    }
}

/// Puts what the sampler reads into the outbox, for ever.
async fn take_in<O: Outbox>(
    mut records: UnboundedReceiver<Record>,
    outbox: &Shared<O>,
    talk: &RefCell<Talk>,
    profile: &CardProfile,
    clock: &dyn Clock,
) {
    while let Some(record) = records.recv().await {
        let message = provider::message(&record, profile, clock.utc_at(record.stamp.boot));
        talk.borrow_mut().sampled(record.sensor, message.payload);
        outbox.push(record, clock);
    }
    // the sampler has ended, and the uplink may still be sending
    std::future::pending::<()>().await;
}

/// Does what has become due, for ever.
async fn tend(talk: &RefCell<Talk>) {
    loop {
        talk.borrow_mut().tend();
        sleep(GLANCE).await;
    }
}

async fn end_sampler(sampler: Running) {
    sampler.stop(FAREWELL).await;
    // what it read last is on its way into the outbox
    tokio::task::yield_now().await;
}

fn announce(config: &Config, clock: &dyn Clock) {
    info!(
        version = env!("CARGO_PKG_VERSION"),
        device = %config.profile.device.id,
        sensors = config.profile.sensors.len(),
        seconds_since_boot = clock.boot().0.as_secs(),
        "started"
    );
    if let Some(redirect) = &config.redirect {
        info!(address = %redirect.address, "the kernel's command line says where to connect");
    }
    if let Some(validity) = config.validity
        && validity.until < clock.utc()
    {
        warn!(until = %validity.until, "this device's certificate has expired");
    }
}

fn say_what_is_left<O: Outbox>(outbox: &Shared<O>) {
    match outbox.len() {
        0 => info!("stopped"),
        unsent => warn!(unsent, "stopped before everything was sent"),
    }
}

/// The signals that mean: end.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn received(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => info!("stopping: told to terminate"),
            _ = self.interrupt.recv() => info!("stopping: interrupted"),
        }
    }
}
