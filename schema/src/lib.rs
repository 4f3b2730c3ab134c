//! What a profile says: its types, its validation, its diagnostics.
//!
//! ```text
//! YAML ── read ──► Profile ── check ──► every Problem      (what was typed)
//!                     │ resolve: templates, defaults
//!                     ▼
//!                 DeviceSpec                               (what is meant)
//!                     │ DeviceSpec::card_profile
//!                     ▼
//!                 CardProfile                              (what the agent reads on the device)
//! ```
//!
//! The crate does no I/O: files, secrets and the environment are handed in through [`Lookup`]. The agent
//! takes it without the `profile` feature and gets the values and the [`CardProfile`] alone.

pub mod card;
#[cfg(feature = "profile")]
pub mod problem;
pub mod sensor;
#[cfg(feature = "profile")]
mod span;
pub mod telemetry;
pub mod values;
pub mod yaml;

#[cfg(feature = "profile")]
mod check;
#[cfg(feature = "profile")]
mod outcome;
#[cfg(feature = "profile")]
pub mod profile;
#[cfg(feature = "profile")]
mod read;
#[cfg(feature = "profile")]
pub mod report;
#[cfg(feature = "profile")]
mod resolve;
#[cfg(feature = "profile")]
pub mod schema;
#[cfg(feature = "profile")]
pub mod secrets;
#[cfg(feature = "profile")]
pub mod spec;
#[cfg(feature = "profile")]
pub mod template;

pub use card::CardProfile;
#[cfg(feature = "profile")]
pub use problem::{Code, Problem};
#[cfg(feature = "profile")]
pub use span::{FileId, Sp, Span};

#[cfg(feature = "profile")]
pub use outcome::{Outcome, read, structure};
#[cfg(feature = "profile")]
pub use profile::Profile;
#[cfg(feature = "profile")]
pub use resolve::{Lookup, LookupError};
#[cfg(feature = "profile")]
pub use spec::DeviceSpec;
