//! Where an emulated card connects instead of its cloud, without the image being changed.

use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

/// The word on the kernel's command line that the agent looks for.
pub const WORD: &str = "imgbuild.connect";

/// What QEMU's user network calls the machine it runs on.
pub const HOST: &str = "10.0.2.2";

/// Where to connect, and whom to trust there, instead of the cloud that the card's profile names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    address: String,
    authority: Option<Vec<u8>>,
}

impl Redirect {
    /// To `address` (`host:port`, as the emulated Pi reaches it), in clear.
    pub fn new(address: impl Into<String>) -> Self {
        Self { address: address.into(), authority: None }
    }

    /// To a port of this machine's loopback, as the emulated Pi reaches it.
    pub fn to_this_machine(address: SocketAddr) -> Self {
        Self::new(format!("{HOST}:{}", address.port()))
    }

    /// Trusting certificates of this authority (DER), and only these.
    #[must_use]
    pub fn trusting(mut self, authority: impl Into<Vec<u8>>) -> Self {
        self.authority = Some(authority.into());
        self
    }

    /// The word for the kernel's command line: base64url, without padding, of
    /// `{"address":"10.0.2.2:8883","ca":"<base64 of the authority's DER>"}`; no `ca` where TLS is not
    /// spoken.
    pub fn word(&self) -> String {
        let mut told = json!({"address": self.address});
        if let Some(der) = &self.authority {
            told["ca"] = STANDARD.encode(der).into();
        }
        format!("{WORD}={}", URL_SAFE_NO_PAD.encode(told.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(redirect: &Redirect) -> String {
        let word = redirect.word();
        let value = word.strip_prefix("imgbuild.connect=").unwrap();
        assert!(value.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)), "{value}");
        String::from_utf8(URL_SAFE_NO_PAD.decode(value).unwrap()).unwrap()
    }

    #[test]
    fn the_word_tells_address_and_authority() {
        let redirect = Redirect::to_this_machine(([127, 0, 0, 1], 8883).into());
        assert_eq!(told(&redirect), r#"{"address":"10.0.2.2:8883"}"#);
        assert_eq!(
            told(&redirect.trusting([0xfb, 0xff, 0x00])),
            r#"{"address":"10.0.2.2:8883","ca":"+/8A"}"#
        );
    }
}
