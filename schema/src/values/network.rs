use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::{InvalidValue, digits, refuse, serde_as_text};

/// An IP address: `192.168.1.1`, `fd00::1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address(IpAddr);

impl Address {
    /// The same address as the standard library's type.
    pub const fn get(self) -> IpAddr {
        self.0
    }
}

impl FromStr for Address {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        match text.parse() {
            Ok(address) => Ok(Self(address)),
            Err(_) => refuse!("`{text}` is not an IP address; write it like `192.168.1.1`"),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An address with the length of its network's prefix: `192.168.1.20/24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InterfaceAddress {
    address: IpAddr,
    prefix: u8,
}

impl InterfaceAddress {
    /// The address without its prefix length.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Is `other` on this network?
    pub fn reaches(&self, other: IpAddr) -> bool {
        match (self.address, other) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (own.to_bits() ^ other.to_bits()).leading_zeros() >= u32::from(self.prefix)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                (own.to_bits() ^ other.to_bits()).leading_zeros() >= u32::from(self.prefix)
            }
            _ => false,
        }
    }
}

impl FromStr for InterfaceAddress {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let Some((address, prefix)) = text.split_once('/') else {
            refuse!("`{text}` lacks the length of its network, as in `192.168.1.20/24`");
        };
        let Ok(address) = address.parse::<IpAddr>() else {
            refuse!("`{address}` is not an IP address");
        };
        let longest = if address.is_ipv4() { 32 } else { 128 };
        match digits::<u8>(prefix) {
            Some(prefix) if (1..=longest).contains(&prefix) => Ok(Self { address, prefix }),
            _ => {
                refuse!("`/{prefix}` is not the length of a network; it runs from /1 to /{longest}")
            }
        }
    }
}

impl fmt::Display for InterfaceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// Where to connect: a host name or an address, and a port: `10.0.2.2:8883`, `[fd00::1]:8883`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    host: String,
    port: u16,
}

impl Endpoint {
    /// The host, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl FromStr for Endpoint {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let Some((host, port)) = text.rsplit_once(':') else {
            refuse!("`{text}` lacks a port, as in `gateway.local:8883`");
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let odd = |c: char| c.is_whitespace() || c.is_control() || "/@[]".contains(c);
        if host.is_empty() || host.contains(odd) {
            refuse!("`{host}` is neither a host name nor an address");
        }
        match digits::<u16>(port) {
            Some(port @ 1..) => Ok(Self { host: host.to_owned(), port }),
            _ => refuse!("`{port}` is not a port; they run from 1 to 65535"),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

serde_as_text!(Address, InterfaceAddress, Endpoint);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_has_an_address_and_a_prefix() {
        for text in ["192.168.1.20/24", "fd00::1/64"] {
            assert_eq!(text.parse::<InterfaceAddress>().unwrap().to_string(), text);
        }
        for text in ["192.168.1.20", "192.168.1.20/33", "192.168.1/24", "192.168.1.20/0"] {
            assert!(text.parse::<InterfaceAddress>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_network_reaches_as_far_as_its_prefix() {
        let reaches = |own: &str, other: &str| {
            own.parse::<InterfaceAddress>().unwrap().reaches(other.parse().unwrap())
        };
        assert!(reaches("192.168.1.20/24", "192.168.1.1"));
        assert!(!reaches("192.168.1.20/24", "192.168.2.1"));
        assert!(reaches("fd00::1/64", "fd00::ffff") && !reaches("fd00::1/64", "fd00:0:0:1::1"));
        assert!(!reaches("192.168.1.20/24", "fd00::1"));
    }

    #[test]
    fn an_endpoint_has_a_host_and_a_port() {
        for text in ["10.0.2.2:8883", "[fd00::1]:8883", "broker.example:443"] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), text);
        }
        for text in ["broker.example", ":8883", "broker:0", "mqtts://broker:1", "a b:1"] {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
    }
}
