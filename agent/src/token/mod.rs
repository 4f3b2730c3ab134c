//! Tokens: passwords that the device makes itself, each good for a while.
//!
//! Making one is a function of the time, and of nothing else that changes.

mod jwt;
mod sas;

use std::fmt::Debug;

use imgbuild_schema::values::Secret;

use crate::clock::Utc;

pub use jwt::Jwt;
pub use sas::Sas;

/// Makes tokens.
pub trait Mint: Debug + Send + Sync {
    /// A token that is good from `now` on. Fails if the key cannot sign.
    fn mint(&self, now: Utc) -> Result<Token, rustls::Error>;
}

/// A password and when it ends.
#[derive(Clone, Debug)]
pub struct Token {
    /// What is sent.
    pub text: Secret,
    /// From when on it is refused.
    pub expires: Utc,
}
