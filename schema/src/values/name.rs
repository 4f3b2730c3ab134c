use std::str::FromStr;

use super::{InvalidValue, refuse, serde_as_text, text_newtype};

/// What the device is called at its cloud: MQTT client id, thing name, IoT Hub device id.
///
/// At most 128 of the letters that every cloud takes: ASCII letters, digits, `-`, `_`, `.`, `:`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId(String);

impl FromStr for DeviceId {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        identifier(text, "a device id", 128, "-_.:").map(Self)
    }
}

/// What a sensor is called in topics and messages: at most 64 ASCII letters, digits, `-` and `_`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SensorId(String);

impl FromStr for SensorId {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        identifier(text, "a sensor id", 64, "-_").map(Self)
    }
}

fn identifier(text: &str, what: &str, longest: usize, marks: &str) -> Result<String, InvalidValue> {
    if text.is_empty() {
        refuse!("{what} cannot be empty");
    }
    if text.len() > longest {
        refuse!("{what} has at most {longest} characters, and this one has {}", text.len());
    }
    if let Some(odd) = text.chars().find(|c| !c.is_ascii_alphanumeric() && !marks.contains(*c)) {
        refuse!("{what} cannot contain {odd:?}: letters, digits and any of {marks} make it up");
    }
    Ok(text.to_owned())
}

/// What the device is called on its network: labels of letters, digits and inner hyphens (RFC 1123),
/// at most 64 characters, which is all that Linux keeps.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hostname(String);

impl Hostname {
    /// The first label: the name without its domain.
    pub fn label(&self) -> &str {
        self.0.split('.').next().unwrap_or(&self.0)
    }
}

impl FromStr for Hostname {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if text.is_empty() || text.len() > 64 {
            refuse!("a host name has 1 to 64 characters, and `{text}` has {}", text.len());
        }
        for label in text.split('.') {
            if let Some(odd) = label.chars().find(|c| !c.is_ascii_alphanumeric() && *c != '-') {
                refuse!(
                    "a host name cannot contain {odd:?}: letters, digits and hyphens make it up"
                );
            }
            if label.is_empty() || label.starts_with('-') || label.ends_with('-') {
                refuse!("each part of a host name begins and ends with a letter or a digit");
            }
        }
        Ok(Self(text.to_owned()))
    }
}

/// A login name: a lower-case letter, then at most 31 lower-case letters, digits, `-` and `_`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserName(String);

impl FromStr for UserName {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if text == "root" {
            refuse!("`root` stays locked; name a user, who gets sudo");
        }
        if text == "imgbuild" {
            refuse!("`imgbuild` is the agent's own user; name another");
        }
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if !text.starts_with(|c: char| c.is_ascii_lowercase()) || !text.chars().all(inner) {
            refuse!(
                "a user name begins with a lower-case letter and goes on in lower-case letters, digits, - and _"
            );
        }
        if text.len() > 32 {
            refuse!("a user name has at most 32 characters, and this one has {}", text.len());
        }
        Ok(Self(text.to_owned()))
    }
}

/// A time zone by its place in the tz database, such as `Europe/Amsterdam`. Whether the place exists
/// is asked of the base image, which holds the database.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timezone(String);

impl FromStr for Timezone {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let plain = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "_-+".contains(c))
        };
        if !text.split('/').all(plain) {
            refuse!(
                "`{text}` is not a time zone; they are written like `Europe/Amsterdam` or `UTC`"
            );
        }
        Ok(Self(text.to_owned()))
    }
}

/// A language, its country and its encoding, such as `en_GB.UTF-8`, or plain `C.UTF-8`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Locale(String);

impl FromStr for Locale {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let Some(language) = text.strip_suffix(".UTF-8") else {
            refuse!("`{text}` does not end in `.UTF-8`, the only encoding that is offered");
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '@';
        if language.is_empty() || !language.chars().all(plain) {
            refuse!("`{text}` is not a locale; they are written like `en_GB.UTF-8`");
        }
        Ok(Self(text.to_owned()))
    }
}

/// The layout of a keyboard, as X names it: two lower-case letters or a few more. Whether one exists is asked
/// of the base image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Keyboard(String);

impl FromStr for Keyboard {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if !(2..=8).contains(&text.len()) || !text.bytes().all(|c| c.is_ascii_lowercase()) {
            refuse!(
                "`{text}` is not a keyboard's layout; they are named like `us`, `gb`, `de` or `latam`"
            );
        }
        Ok(Self(text.to_owned()))
    }
}

text_newtype!(DeviceId, SensorId, Hostname, UserName, Timezone, Locale, Keyboard);
serde_as_text!(DeviceId, SensorId, Hostname, UserName, Timezone, Locale, Keyboard);

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal<T: FromStr<Err = InvalidValue>>(text: &str) -> String {
        match text.parse::<T>() {
            Ok(_) => panic!("{text:?} was taken"),
            Err(refusal) => refusal.to_string(),
        }
    }

    #[test]
    fn ids_keep_to_what_every_cloud_takes() {
        assert_eq!("greenhouse-01".parse::<DeviceId>().unwrap().as_str(), "greenhouse-01");
        assert!(refusal::<DeviceId>("green house").contains("' '"));
        assert!(refusal::<DeviceId>("a/b").contains("'/'"));
        assert!(refusal::<DeviceId>(&"x".repeat(129)).contains("at most 128"));
        assert!(refusal::<SensorId>("").contains("cannot be empty"));
    }

    #[test]
    fn host_names_keep_to_the_rules_of_dns() {
        assert_eq!("pi.example.org".parse::<Hostname>().unwrap().label(), "pi");
        for text in ["-pi", "pi-", "a..b", "pi_1", "pi\n", "", "é"] {
            refusal::<Hostname>(text);
        }
    }

    #[test]
    fn a_user_is_a_plain_name_and_not_root() {
        assert!("pi".parse::<UserName>().is_ok());
        assert!(refusal::<UserName>("root").contains("stays locked"));
        assert!(refusal::<UserName>("imgbuild").contains("the agent's own"));
        for text in ["Pi", "1st", "a:b", "a b", ""] {
            refusal::<UserName>(text);
        }
    }

    #[test]
    fn a_time_zone_cannot_leave_the_database() {
        assert!("America/Argentina/Buenos_Aires".parse::<Timezone>().is_ok());
        for text in ["../../etc/passwd", "/etc", "Europe//Paris", "Europe/Paris;x", ""] {
            refusal::<Timezone>(text);
        }
    }
}
