//! The profile language, as somebody who writes a profile meets it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod agreement;
mod clouds;
mod fuzz;
mod hostile;
mod keys;
mod mistakes;
mod resolved;
mod support;
