//! The agent as a device runs it: the real program against a real broker.

#![expect(clippy::print_stderr, reason = "the figures of a test are for whoever reads its log")]
#![expect(clippy::unwrap_used, reason = "a test that panics has failed, and that is the point")]

mod advisor;
mod aws;
mod commands;
mod delivery;
mod device;
mod google;
mod hub;
mod judge;
mod plain;
mod service;
mod shadow;
mod trust;

#[path = "../doubles/mod.rs"]
mod doubles;
#[path = "../support/random.rs"]
mod random;
#[path = "../support/mod.rs"]
mod support;
