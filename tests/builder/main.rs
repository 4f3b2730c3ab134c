//! The `imgbuild` program as a user meets it, on a small base with what a real one has.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]
#![expect(clippy::disallowed_methods, reason = "tests call programs as a user would")]

mod access;
mod build;
mod cache;
mod cloud_init;
mod command_line;
mod damaged;
mod explain;
mod fetch;
mod flash;
mod foreign_servers;
mod gpt;
mod growth;
mod init;
mod injection;
mod interrupted;
#[path = "../fixtures/raspios/laid-out/mod.rs"]
mod laid_out;
mod likenesses;
mod looking;
mod mistakes;
mod outputs;
mod overlays;
mod plan;
mod policy;
mod profiles;
#[path = "../support/random.rs"]
mod random;
mod raspios;
mod reproducible;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "shared with other tests, which need more of it")]
mod shared;
mod sources;
mod support;
mod unpack;
mod wifi;
