//! The `imgbuild` program as a user meets it, on a small base with what a real one has.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]
#![expect(clippy::disallowed_methods, reason = "tests call programs as a user would")]

mod access;
mod build;
mod cache;
mod explain;
mod fetch;
mod flash;
mod foreign_servers;
mod init;
mod injection;
mod interrupted;
mod looking;
mod mistakes;
mod outputs;
mod overlays;
mod plan;
mod profiles;
mod raspios;
mod reproducible;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "shared with other tests, which need more of it")]
mod shared;
mod sources;
mod support;
mod unpack;
mod wifi;
