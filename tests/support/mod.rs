//! What the integration tests of the crates share: a certificate authority, an MQTT broker and a judge
//! who writes down what arrives there. Knows neither the builder nor the agent.
//!
//! Include it with `#[path = "../support/mod.rs"] mod support;`.

pub(crate) mod authority;
pub(crate) mod broker;
pub(crate) mod process;

use std::time::{Duration, Instant};

/// Waits until `found` finds something; panics with `what` when it takes too long.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
