//! JSON Web Tokens (RFC 7519), signed as RFC 7518 has it, for registries that speak the protocol of Google
//! Cloud IoT Core ("Using JSON Web Tokens" of its documentation).
//!
//! rustls signs: it reads keys in every form that OpenSSL writes. What is left is the text round the
//! signature, and ES256's signature in its own form.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use imgbuild_schema::values::{Algorithm, Secret};
use rustls::SignatureScheme;
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::SigningKey;
use serde_json::json;

use super::{Mint, Token};
use crate::clock::Utc;

/// How long an integer of P-256 is, in bytes.
const INTEGER: usize = 32;

/// Makes tokens for one audience.
pub struct Jwt {
    audience: String,
    key: Arc<dyn SigningKey>,
    algorithm: Algorithm,
    life: Duration,
}

impl fmt::Debug for Jwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { audience, algorithm, .. } = self;
        f.debug_struct("Jwt")
            .field("audience", audience)
            .field("algorithm", algorithm)
            .finish_non_exhaustive()
    }
}

impl Jwt {
    /// Tokens for `audience`, each good for `life`. Fails if this is no key for the algorithm.
    pub fn new(
        audience: &str,
        key: &PrivateKeyDer<'_>,
        algorithm: Algorithm,
        life: Duration,
    ) -> Result<Self, rustls::Error> {
        let key = rustls::crypto::ring::sign::any_supported_type(key)?;
        let jwt = Self { audience: audience.to_owned(), key, algorithm, life };
        jwt.signature(b"can it be done?")?;
        Ok(jwt)
    }

    fn signature(&self, text: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let scheme = match self.algorithm {
            Algorithm::Es256 => SignatureScheme::ECDSA_NISTP256_SHA256,
            Algorithm::Rs256 => SignatureScheme::RSA_PKCS1_SHA256,
        };
        let signer = self
            .key
            .choose_scheme(&[scheme])
            .ok_or_else(|| rustls::Error::General(format!("this is no key for {}", self.name())))?;
        let signature = signer.sign(text)?;
        match self.algorithm {
            Algorithm::Rs256 => Ok(signature),
            Algorithm::Es256 => fixed(&signature)
                .ok_or_else(|| rustls::Error::General("signing gave no signature".to_owned())),
        }
    }

    fn text(&self, from: u64, until: u64) -> Result<String, rustls::Error> {
        let part = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let header = part(json!({"alg": self.name(), "typ": "JWT"}));
        let claims = part(json!({"aud": self.audience, "iat": from, "exp": until}));
        let signed = format!("{header}.{claims}");
        let signature = URL_SAFE_NO_PAD.encode(self.signature(signed.as_bytes())?);
        Ok(format!("{signed}.{signature}"))
    }

    fn name(&self) -> &'static str {
        match self.algorithm {
            Algorithm::Es256 => "ES256",
            Algorithm::Rs256 => "RS256",
        }
    }
}

impl Mint for Jwt {
    fn mint(&self, now: Utc) -> Result<Token, rustls::Error> {
        let (from, until) = (now.0.as_secs(), now.0.saturating_add(self.life).as_secs());
        Ok(Token {
            text: Secret::new(self.text(from, until)?),
            expires: Utc(Duration::from_secs(until)),
        })
    }
}

/// An ECDSA signature as RFC 7518 wants it (section 3.4: two integers of fixed length), of one as X.509 has it
/// (RFC 3279, section 2.2.3: a sequence of two integers, in DER).
fn fixed(der: &[u8]) -> Option<Vec<u8>> {
    let body = der.strip_prefix(&[0x30, u8::try_from(der.len().checked_sub(2)?).ok()?])?;
    let (r, rest) = integer(body)?;
    let (s, rest) = integer(rest)?;
    rest.is_empty().then(|| [r, s].concat())
}

/// An integer of DER, without the zero that says that it is positive and with those that it leaves out; and
/// what follows.
fn integer(der: &[u8]) -> Option<([u8; INTEGER], &[u8])> {
    let [0x02, length, rest @ ..] = der else { return None };
    let (digits, rest) = rest.split_at_checked(usize::from(*length))?;
    let digits = digits.strip_prefix(&[0]).unwrap_or(digits);
    let mut fixed = [0; INTEGER];
    fixed.get_mut(INTEGER.checked_sub(digits.len())?..)?.copy_from_slice(digits);
    Some((fixed, rest))
}

#[cfg(test)]
mod tests {
    use rcgen::KeyPair;
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    fn jwt(algorithm: Algorithm) -> Result<(Jwt, KeyPair), rustls::Error> {
        let key = KeyPair::generate().unwrap();
        let der = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        Jwt::new("greenhouses", &der, algorithm, Duration::from_mins(20)).map(|jwt| (jwt, key))
    }

    #[test]
    fn a_token_says_for_whom_and_for_how_long_and_is_signed() {
        // signatures differ from one to the next, and in their length in DER
        for _ in 0..100 {
            let (jwt, key) = jwt(Algorithm::Es256).unwrap();
            let token = jwt.mint(Utc(Duration::from_millis(1_581_417_910_999))).unwrap();
            assert_eq!(token.expires, Utc(Duration::from_secs(1_581_419_110)));
            let text = token.text.expose();
            let (signed, signature) = text.rsplit_once('.').unwrap();
            let (header, claims) = signed.split_once('.').unwrap();
            let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
            let json = |part| serde_json::from_slice::<serde_json::Value>(&decode(part)).unwrap();
            assert_eq!(json(header), json!({"alg": "ES256", "typ": "JWT"}));
            assert_eq!(
                json(claims),
                json!({"aud": "greenhouses", "iat": 1_581_417_910, "exp": 1_581_419_110})
            );
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_key_raw())
                .verify(signed.as_bytes(), &decode(signature))
                .unwrap();
        }
    }

    /// Integers whose first bit is set have a zero before them in DER, small ones are shorter.
    #[test]
    fn a_signature_has_its_fixed_length() {
        let mut der = vec![0x30, 0x26, 0x02, 0x21, 0x00, 0xff];
        der.extend([0x11; 31]);
        der.extend([0x02, 0x01, 0x07]);
        let signature = fixed(&der).unwrap();
        assert_eq!((signature.len(), signature[0], signature[31]), (64, 0xff, 0x11));
        assert_eq!((signature[32], signature[63]), (0, 7));
        for end in 0..der.len() {
            assert_eq!(fixed(&der[..end]), None);
        }
        assert_eq!(fixed(&[&der[..], &[0]].concat()), None);
    }

    #[test]
    fn a_key_of_another_kind_is_refused() {
        assert_eq!(
            jwt(Algorithm::Rs256).unwrap_err().to_string(),
            "unexpected error: this is no key for RS256"
        );
    }
}
