//! What differs from cloud to cloud. A provider is pure: it says how to connect and what a message looks
//! like, and leaves doing to the uplink.

pub mod mqtt;
