//! What is not told of an image, since it is a secret or may be one.

use imgbuild_schema::card::CREDENTIALS_PATH;

use crate::overlay::Volume;

/// Folders and files of the root partition in which secrets lie, whatever their modes are.
const ON_ROOT: [&str; 12] = [
    CREDENTIALS_PATH,
    "/etc/shadow",
    "/etc/gshadow",
    "/etc/shadow-",
    "/etc/gshadow-",
    "/etc/wpa_supplicant",
    "/etc/NetworkManager/system-connections",
    "/etc/ppp",
    "/etc/ssl/private",
    "/etc/netplan",
    "/var/lib/cloud",
    "/var/lib/NetworkManager",
];

/// Files of the boot partition by which a first boot is told secrets: it has no modes.
const ON_BOOT: [&str; 8] = [
    "/userconf",
    "/userconf.txt",
    "/wpa_supplicant.conf",
    "/firstrun.sh",
    "/custom.toml",
    "/user-data",
    "/network-config",
    "/meta-data",
];

/// What in a text says that there is a secret in it.
const SIGNS: [&str; 12] = [
    "psk",
    "password",
    "passwd=",
    "passphrase",
    "secret",
    "token",
    "private_key",
    "private-key",
    "PRIVATE KEY",
    "$5$",
    "$6$",
    "$y$",
];

/// Is this where secrets lie?
pub(crate) fn is_place_of_one(volume: Volume, path: &str) -> bool {
    let places: &[&str] = match volume {
        Volume::Boot => &ON_BOOT,
        Volume::Root => &ON_ROOT,
    };
    places.iter().any(|place| {
        path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// May a secret be in this text? It errs on the safe side.
pub(crate) fn is_in(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    SIGNS.iter().any(|sign| text.contains(sign) || lower.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_signs_of_secrets_are_known() {
        for path in
            ["/etc/shadow", "/etc/imgbuild/credentials/key.pem", "/etc/wpa_supplicant/a.conf"]
        {
            assert!(is_place_of_one(Volume::Root, path), "{path}");
        }
        assert!(is_place_of_one(Volume::Boot, "/userconf.txt"));
        for path in ["/etc/shadows", "/etc/passwd", "/userconf.txt"] {
            assert!(!is_place_of_one(Volume::Root, path), "{path}");
        }
        assert!(is_in("[wifi]\nPSK=hunter22\n") && is_in("pi:$6$salt$hash:1"));
        assert!(!is_in("greenhouse-01\n"));
    }
}
