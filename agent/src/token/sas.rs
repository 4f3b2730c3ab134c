//! Shared access signatures, as Azure IoT Hub takes them ("Control access to IoT Hub with shared access
//! signatures", Microsoft's documentation of IoT Hub).
//!
//! ```text
//! SharedAccessSignature sr=RESOURCE&sig=SIGNATURE&se=EXPIRY
//! RESOURCE   the name of what is accessed, percent-encoded
//! EXPIRY     seconds since 1970
//! SIGNATURE  HMAC-SHA256 of RESOURCE, a newline and EXPIRY, in Base64, percent-encoded
//! ```

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use imgbuild_schema::values::Secret;
use ring::hmac;

use super::{Mint, Token};
use crate::clock::Utc;
use crate::percent;

/// Makes shared access signatures for one resource.
pub struct Sas {
    resource: String,
    key: hmac::Key,
    life: Duration,
}

impl fmt::Debug for Sas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sas").field("resource", &self.resource).finish_non_exhaustive()
    }
}

impl Sas {
    /// Signatures for `resource`, made with the bytes of a key, each good for `life`.
    pub fn new(resource: &str, key: &[u8], life: Duration) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        Self { resource: percent::encode(resource), key, life }
    }

    fn signature(&self, expiry: u64) -> String {
        let Self { resource, key, .. } = self;
        let signature = hmac::sign(key, format!("{resource}\n{expiry}").as_bytes());
        let signature = percent::encode(&STANDARD.encode(signature));
        format!("SharedAccessSignature sr={resource}&sig={signature}&se={expiry}")
    }
}

impl Mint for Sas {
    fn mint(&self, now: Utc) -> Result<Token, rustls::Error> {
        let expires = now.0.saturating_add(self.life).as_secs();
        Ok(Token {
            text: Secret::new(self.signature(expires)),
            expires: Utc(Duration::from_secs(expires)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sas(resource: &str, key: &str) -> Sas {
        Sas::new(resource, &STANDARD.decode(key).unwrap(), Duration::from_hours(1))
    }

    /// From the tests of others.
    #[test]
    fn signatures_are_those_that_others_make() {
        // damienpontifex/azure-iot-sdk-rs, src/token.rs
        let hub = sas(
            "pontifex.azure-devices.net/devices/FirstDevice",
            "O+H9VTcdJP0TQkl7bh4nVG0OJNrEataMpuWB54D0VEc=",
        );
        assert_eq!(
            hub.signature(1_593_353_305),
            "SharedAccessSignature sr=pontifex.azure-devices.net%2Fdevices%2FFirstDevice&sig=CKYVArtLm72J2UNWLb4V3XqPc679Ig3LX83G3nPExUc%3D&se=1593353305"
        );
        // Azure/azure-iot-sdk-python, tests/unit/common/auth/test_signing_mechanism.py
        let key = STANDARD.decode("NMgJDvdKTxjLi+xBxxkDDEwDJxEvOE5u8BiT0mVgPeg=").unwrap();
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), b"sign this message");
        assert_eq!(STANDARD.encode(signature), "8NJRMT83CcplGrAGaUVIUM/md5914KpWVNngSVoF9/M=");
    }

    /// Azure/azure-sdk-for-c, `sdk/tests/iot/hub/test_az_iot_hub_client_sas.c`: what is signed.
    #[test]
    fn the_resource_is_encoded_before_it_is_signed() {
        let hub = sas("myiothub.azure-devices.net/devices/my_device", "AAAA");
        assert_eq!(hub.resource, "myiothub.azure-devices.net%2Fdevices%2Fmy_device");
    }

    #[test]
    fn a_token_ends_when_its_life_is_over_and_shows_no_key() {
        let hub = sas("a/devices/b", "O+H9VTcdJP0TQkl7bh4nVG0OJNrEataMpuWB54D0VEc=");
        let token = hub.mint(Utc(Duration::from_millis(1_593_349_705_900))).unwrap();
        assert_eq!(token.expires, Utc(Duration::from_secs(1_593_353_305)));
        assert!(token.text.expose().ends_with("&se=1593353305"));
        let shown = format!("{hub:?} {token:?}");
        assert!(!shown.contains("sig=") && !shown.contains("O+H9"), "{shown}");
    }
}
