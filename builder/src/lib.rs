//! Profile in, card image out.
//!
//! ```text
//! profile.yaml ─ schema ─► DeviceSpec ┐
//!                 base ──► Base facts ┼─ plan ─► Plan ─ image ─► card.img ─ emulator ─► proof
//!             overlays ─► what lands ┘
//! ```
//!
//! [`base`] finds or makes the image to start from and reads what it is; [`overlay`] turns the device's
//! intent into files; [`plan`] orders them, and can be printed; [`image`] writes them and reads them
//! back; [`artifact`] compresses and describes the result. [`inspect`] and [`diff`] look at finished images.
//! [`emulator`] boots one, [`flash`] writes it to a card. [`init`] asks for a first profile. [`tool`] runs every child process.

pub mod agents;
pub mod artifact;
pub mod base;
pub mod build;
pub mod check;
pub mod choices;
pub mod cli;
pub mod diff;
pub mod digest;
pub mod emulator;
pub mod fault;
pub mod fetch;
pub mod flash;
pub mod image;
pub mod init;
pub mod inspect;
pub mod interrupt;
pub mod overlay;
mod password;
pub mod plan;
pub mod policy;
pub mod profile;
pub mod progress;
pub mod render;
mod scratch;
mod secrecy;
pub mod source;
mod terminal;
pub mod tool;
pub mod unpack;
mod uuid;
