//! The proof: a card made from a profile boots in an emulated Raspberry Pi and does what it should.
//!
//! Needs the agents (`make agents`), and makes the base if it is not in the cache yet. Each test boots at
//! least once, one after the other, since emulation takes a whole core.

#![expect(clippy::print_stderr, reason = "the figures of a proof are for whoever reads its log")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]
#![expect(clippy::disallowed_methods, reason = "tests call programs as a user would")]

mod access_point;
mod agents;
mod bench;
mod clouds;
mod image;
mod proof;
mod publishes;
mod raspios;
mod time_server;
mod wifi;
mod zero;

#[path = "../doubles/mod.rs"]
#[expect(dead_code, reason = "shared with other tests, which need more of it")]
mod doubles;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "shared with other tests, which need more of it")]
mod support;
