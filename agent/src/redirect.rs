//! Where to connect in place of the cloud's own address, as the kernel's command line may say.
//!
//! ```text
//! imgbuild.connect=BASE64URL({"address":"10.0.2.2:8883","ca":"BASE64(certificate, DER)"})
//! ```
//!
//! This is how an emulator points a finished card at a broker on the developer's machine without
//! changing a byte of the card. It does what the profile's `connect` does: host name, client id and
//! topics stay, so the same card is proved that will be flashed. `ca` may be left out. Whoever can write
//! the command line can write the whole card, so this opens no door that was closed.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use imgbuild_schema::values::Endpoint;
use rustls::pki_types::CertificateDer;
use serde::Deserialize;

use crate::fault::Fault;

/// The word on the kernel's command line.
pub const WORD: &str = "imgbuild.connect=";

/// Where to connect and whom to trust there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// Where it listens.
    pub address: Endpoint,
    /// The authority to trust there; none: those of the cloud.
    pub ca: Option<CertificateDer<'static>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    address: Endpoint,
    ca: Option<String>,
}

/// What the command line of the machine whose files lie below `root` says, if it says anything.
pub fn from_command_line(root: &Path) -> Result<Option<Redirect>, Fault> {
    let line = std::fs::read_to_string(root.join("proc/cmdline")).unwrap_or_default();
    let Some(word) = line.split_whitespace().find_map(|word| word.strip_prefix(WORD)) else {
        return Ok(None);
    };
    decode(word).map(Some).map_err(|reason| {
        Fault::profile(format!("`{WORD}` on the kernel's command line: {reason}"))
            .hint("take the word off the command line, or write it as the manual says")
    })
}

fn decode(word: &str) -> Result<Redirect, String> {
    let json = URL_SAFE_NO_PAD.decode(word).map_err(|error| format!("not base64url: {error}"))?;
    let written: Written = serde_json::from_slice(&json).map_err(|error| error.to_string())?;
    let ca = written.ca.map(|ca| STANDARD.decode(ca)).transpose();
    let ca = ca.map_err(|error| format!("`ca` is not base64: {error}"))?;
    Ok(Redirect { address: written.address, ca: ca.map(CertificateDer::from) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(word: &str) -> Result<Option<Redirect>, String> {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("proc")).unwrap();
        std::fs::write(root.path().join("proc/cmdline"), format!("quiet {word} ro\n")).unwrap();
        from_command_line(root.path()).map_err(|fault| fault.message)
    }

    #[test]
    fn the_word_says_where_and_whom_to_trust() {
        let word = URL_SAFE_NO_PAD.encode(r#"{"address":"10.0.2.2:8883","ca":"AQID"}"#);
        let redirect = read(&format!("{WORD}{word}")).unwrap().unwrap();
        assert_eq!(redirect.address.to_string(), "10.0.2.2:8883");
        assert_eq!(redirect.ca, Some(CertificateDer::from(vec![1, 2, 3])));
        let word = URL_SAFE_NO_PAD.encode(r#"{"address":"10.0.2.2:8883"}"#);
        assert_eq!(read(&format!("{WORD}{word}")).unwrap().unwrap().ca, None);
    }

    #[test]
    fn without_the_word_nothing_is_redirected() {
        assert_eq!(read("imgbuild.other=x"), Ok(None));
    }

    #[test]
    fn a_word_that_cannot_be_read_is_refused() {
        let encoded = |json: &str| format!("{WORD}{}", URL_SAFE_NO_PAD.encode(json));
        for (word, reason) in [
            (format!("{WORD}%"), "not base64url"),
            (encoded("{}"), "missing field `address`"),
            (encoded(r#"{"address":"10.0.2.2"}"#), "lacks a port"),
            (encoded(r#"{"address":"a:1","ca":"?"}"#), "`ca` is not base64"),
            (encoded(r#"{"address":"a:1","cert":""}"#), "unknown field `cert`"),
        ] {
            assert!(read(&word).unwrap_err().contains(reason), "{word}");
        }
    }
}
