//! The image to start from: found or made, and what it is read out of it.

pub mod mbr;
