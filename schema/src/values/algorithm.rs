use serde::{Deserialize, Serialize};

/// How a token is signed (RFC 7518).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "profile", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// By a key on the curve P-256.
    #[default]
    Es256,
    /// By an RSA key of at least 2048 bits.
    Rs256,
}
