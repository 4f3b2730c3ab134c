//! Derived keys and hashes: what lies on the card in place of what was typed.

use imgbuild_schema::values::{Passphrase, Secret, Ssid, UserName};
use ring::{digest, pbkdf2};
use sha_crypt::{PasswordHasher, ShaCrypt};

/// Bytes of a salt: 16 characters when written, as many as crypt(5) takes.
const SALT_LENGTH: usize = 12;

/// The pre-shared key of a WPA2 network in hexadecimal digits: PBKDF2 with HMAC-SHA1, 4,096 rounds,
/// 256 bits, salted with the network's name (IEEE 802.11, annex J.4.1).
pub(crate) fn wpa_key(ssid: &Ssid, passphrase: &Passphrase) -> Secret {
    if passphrase.is_key() {
        return Secret::new(passphrase.expose().to_ascii_lowercase());
    }
    let rounds = std::num::NonZeroU32::new(4_096).expect("it is not zero");
    let mut key = [0; 32];
    let (salt, secret) = (ssid.as_str().as_bytes(), passphrase.expose().as_bytes());
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA1, rounds, salt, secret, &mut key);
    Secret::new(key.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The hash of a login password in the form of crypt(5): SHA-512. One that is hashed already stays.
///
/// The salt is derived from device, user and password rather than drawn, so that the same profile gives
/// the same image; two devices or users with one password still differ.
pub(crate) fn hash(password: &Secret, device: &str, user: &UserName) -> Secret {
    let text = password.expose();
    if is_hashed(text) {
        return password.clone();
    }
    let salt = salt(&[device, user.as_str(), text]);
    let hash = ShaCrypt::SHA512
        .hash_password_with_salt(text.as_bytes(), &salt)
        .expect("a salt of 12 bytes is allowed");
    Secret::new(hash.to_string())
}

/// SHA-256, SHA-512 and yescrypt are what Debian's crypt takes from a careful user.
fn is_hashed(text: &str) -> bool {
    ["$5$", "$6$", "$y$"].iter().any(|prefix| text.starts_with(prefix)) && text.len() > 20
}

fn salt(parts: &[&str]) -> [u8; SALT_LENGTH] {
    // each part with its length, so that no two lists look alike when joined
    let joined: String = parts.iter().map(|part| format!("{}:{part}", part.len())).collect();
    let digest = digest::digest(&digest::SHA256, joined.as_bytes());
    digest.as_ref()[..SALT_LENGTH].try_into().expect("a digest of SHA-256 is longer")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(ssid: &str, passphrase: &str) -> String {
        let passphrase = Passphrase::try_from(Secret::new(passphrase.into())).unwrap();
        wpa_key(&ssid.parse().unwrap(), &passphrase).expose().to_owned()
    }

    /// The vectors of IEEE 802.11, annex J.4.2.
    #[test]
    fn the_key_of_a_network_is_the_standard_s() {
        assert_eq!(
            key("IEEE", "password"),
            "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e"
        );
        assert_eq!(
            key("ThisIsASSID", "ThisIsAPassword"),
            "0dc0d6eb90555ed6419756b9a15ec3e3209b63df707dd508d14581f8982721af"
        );
        assert_eq!(key("any", &"0F".repeat(32)), "0f".repeat(32));
    }

    /// Judged by OpenSSL's crypt.
    #[test]
    fn a_password_is_hashed_as_crypt_does_it() {
        let (user, password) = ("pi".parse().unwrap(), Secret::new("battery staple".into()));
        let hash = hash(&password, "greenhouse-01", &user).expose().to_owned();
        let (salt, _) = hash.strip_prefix("$6$rounds=5000$").unwrap().split_once('$').unwrap();
        let judge = crate::tool::Tool::new("openssl", "hashing")
            .args(["passwd", "-6", "-salt", &format!("rounds=5000${salt}"), "-stdin"])
            .input("battery staple\n")
            .run()
            .unwrap();
        assert_eq!(judge.trim(), hash);
    }

    #[test]
    fn one_password_on_two_devices_is_hashed_twice_and_each_time_alike() {
        let (user, password) = ("pi".parse().unwrap(), Secret::new("battery staple".into()));
        assert_eq!(hash(&password, "a", &user), hash(&password, "a", &user));
        assert_ne!(hash(&password, "a", &user), hash(&password, "b", &user));
        let hashed = hash(&password, "a", &user);
        assert_eq!(hash(&hashed, "b", &user), hashed);
    }
}
