//! The network adapter, which an emulated Pi has by USB, as the early ones have it on the board.
//!
//! Now and then a guest cannot enumerate it. The adapter is there when the power comes; the kernel's driver
//! (dwc2) forgets, while it starts, that it was told so, answers every request with "Not connected", and after
//! four attempts the port is left alone: no network for as long as that machine runs. Busy machines emulate
//! slowly, and meet it often. The cure is that of a real plug: out, and in again.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;

use super::console::{Console, Mark};
use super::qmp::{Qmp, Refused};

/// QEMU's name for the network behind the adapter.
pub(super) const NETWORK: &str = "n0";

/// QEMU's name for the adapter itself.
const ADAPTER: &str = "net";

/// The controller's one port. QEMU puts a hub between if none is named: one device more to miss.
const PORT: &str = "1";

/// What the kernel says of a device that it cannot enumerate: after two attempts of four, where its
/// console shows what is no error; and after all four, unless it takes the device for one that is not there.
pub(super) const GIVEN_UP: &[&str] = &["attempt power cycle", "unable to enumerate USB device"];

/// How often it is plugged in again before it is left alone.
const ATTEMPTS: usize = 10;

/// Longer than any machine runs.
const ALWAYS: Duration = Duration::from_hours(100_000);

/// How long QEMU may take to let go of an adapter that was unplugged, and between two looks.
const LETTING_GO: Duration = Duration::from_secs(20);
const GLANCE: Duration = Duration::from_millis(100);

/// A control line that more than one thread uses.
pub(super) type Shared = Arc<Mutex<Qmp>>;

/// The adapter as an option of QEMU's.
pub(super) fn option() -> String {
    format!("usb-net,netdev={NETWORK},id={ADAPTER},port={PORT}")
}

/// Plugs the adapter in again whenever the guest has given it up, until the machine ends.
pub(super) fn attend(console: Console, qmp: Shared) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut seen = Mark::default();
        for _ in 0..ATTEMPTS {
            // without it, the machine has ended; or it cannot be helped, and stays without a network
            if console.wait_for_any(seen, GIVEN_UP, ALWAYS).is_err() || replug(&qmp).is_err() {
                return;
            }
            // what the kernel had still to say of the old one is no news of the new one
            seen = console.mark();
        }
    })
}

fn replug(qmp: &Shared) -> Result<()> {
    let execute = |command, arguments| {
        qmp.lock().unwrap_or_else(PoisonError::into_inner).execute(command, &arguments)
    };
    match execute("device_del", json!({"id": ADAPTER})) {
        // it is out already
        Err(error) if error.is::<Refused>() => {}
        done => drop(done?),
    }
    let deadline = Instant::now() + LETTING_GO;
    loop {
        let again = json!({"driver": "usb-net", "netdev": NETWORK, "id": ADAPTER, "port": PORT});
        match execute("device_add", again) {
            // the name, the network and the port are taken until the old one is gone
            Err(error) if error.is::<Refused>() && Instant::now() < deadline => {
                thread::sleep(GLANCE);
            }
            done => return done.map(drop),
        }
    }
}
