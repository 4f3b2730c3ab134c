//! The program on the device: it reads sensors and publishes what they say.
//!
//! ```text
//! sensors ─► sampler ─► outbox ─► uplink ─► cloud
//! ```
//!
//! - A thread of its own reads the [sensors](sensor), each at its interval ([`sampler`]), and numbers
//!   what it reads ([`sequence`]). Reading blocks, so it never happens among the tasks.
//! - Each [`record`] goes to the [`outbox`] and leaves it when the cloud has acknowledged it.
//! - The [`uplink`] waits for a [`network`] and for a [`clock`] that is right, connects, sends, and when
//!   the connection ends says why, pauses and connects again.
//! - A [`provider`] says what a message looks like at its cloud and does nothing itself; [`mqtt`] is the
//!   only module that knows the MQTT library.
//!
//! Time, disk, network and I²C come in as parameters: below `--root` there can be another machine.

pub mod check;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod dry_run;
pub mod fault;
pub mod files;
pub mod health;
pub mod log;
pub mod mqtt;
pub mod network;
pub mod outbox;
mod percent;
pub mod provider;
pub mod read;
pub mod record;
pub mod redirect;
pub mod sampler;
pub mod sensor;
pub mod sequence;
pub mod service;
pub mod stop;
pub mod tls;
pub mod token;
pub mod uplink;
pub mod watchdog;
pub mod x509;
