//! The profile language, as somebody who writes a profile meets it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod agreement;
mod clouds;
mod fuzz;
mod hostile;
mod keys;
mod mistakes;
#[path = "../support/random.rs"]
mod random;
mod resolved;
mod support;
