//! Stand-ins for the clouds, stricter than they are: each enforces the limits that its cloud documents,
//! over real TLS, and writes down what it does not take.
//!
//! Who has written both sides of a protocol has proved little, so each is judged by its vendor's own SDK
//! (`*.py` beside it).

pub(crate) mod aws;
pub(crate) mod google;
pub(crate) mod hub;
mod packet;
pub(crate) mod server;
pub(crate) mod sessions;
pub(crate) mod shadow;
mod tls;
pub(crate) mod twin;
