//! What a profile says: its types, its validation, its diagnostics.
//!
//! ```text
//! YAML ── yaml::parse ──► Profile ── check ──► every Problem      (what was typed)
//!                            │ resolve: templates, secrets, files
//!                            ▼
//!                        DeviceSpec                               (what is meant)
//!                            │ DeviceSpec::card_profile
//!                            ▼
//!                        CardProfile                              (what the agent reads on the device)
//! ```
//!
//! The crate does no I/O: files, secrets and the environment are handed in through [`Lookup`]. The agent
//! takes it without the `profile` feature and gets the values and the [`CardProfile`] alone.

pub mod card;
pub mod problem;
pub mod sensor;
mod span;
pub mod telemetry;
pub mod values;
pub mod yaml;

#[cfg(feature = "profile")]
mod check;
#[cfg(feature = "profile")]
pub mod profile;
#[cfg(feature = "profile")]
pub mod report;
#[cfg(feature = "profile")]
mod resolve;
#[cfg(feature = "profile")]
pub mod spec;
#[cfg(feature = "profile")]
pub mod template;

pub use card::CardProfile;
pub use problem::{Code, Problem};
pub use span::{Sp, Span};

#[cfg(feature = "profile")]
pub use profile::Profile;
#[cfg(feature = "profile")]
pub use resolve::{Lookup, LookupError};
#[cfg(feature = "profile")]
pub use spec::DeviceSpec;
