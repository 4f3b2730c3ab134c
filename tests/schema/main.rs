//! The profile language, as somebody who writes a profile meets it.

mod mistakes;
mod resolved;
mod support;
