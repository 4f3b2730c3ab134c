//! What an editor is told of each value: its JSON Schema. A pattern says no more than the type's own rule;
//! what a pattern cannot say is left to the type.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::profile::{EthernetAddress, Source};

use super::{
    Address, ByteSize, ClientId, Country, DeviceId, Endpoint, Gpio, Host, Hostname, HumanDuration,
    I2cAddress, I2cBus, InterfaceAddress, Keyboard, Locale, Percent, Protocol, PublisherName, QoS,
    Rate, SensorId, Sha256, Ssid, ThingName, Timezone, Url, UserName, country,
};

/// Values, each with its schema.
macro_rules! values {
    ($($value:ident $schema:expr;)+) => { $(
        impl JsonSchema for $value {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($value).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )+ };
}

/// Texts, each with a pattern and an example.
macro_rules! texts {
    ($($value:ident $pattern:literal $example:expr;)+) => {
        values! { $(
            $value json_schema!({ "type": "string", "pattern": $pattern, "examples": [$example] });
        )+ }
    };
}

texts! {
    Address "^[0-9A-Fa-f.:]+$" "192.168.1.1";
    ByteSize "^[0-9]+(B|kB|KiB|MB|MiB|GB|GiB)$" "64MiB";
    ClientId "^[^\\s+#]{1,128}$" "greenhouse-01";
    DeviceId "^[A-Za-z0-9._:-]{1,128}$" "greenhouse-01";
    Endpoint "^[^\\s/@]+:[0-9]+$" "127.0.0.1:8883";
    Host "^[A-Za-z0-9._:-]{1,253}$" "broker.example.org";
    EthernetAddress "^(dhcp|[0-9A-Fa-f.:]+/[0-9]+)$" "dhcp";
    Hostname "^[A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?$" "greenhouse-01";
    HumanDuration "^[0-9]+(ms|s|m|min|h|d)$" "10s";
    I2cBus "^i2c-[0-9]+$" "i2c-1";
    InterfaceAddress "^[0-9A-Fa-f.:]+/[0-9]+$" "192.168.1.20/24";
    Keyboard "^[a-z]{2,8}$" "gb";
    Locale "^[A-Za-z0-9_@]+\\.UTF-8$" "en_GB.UTF-8";
    Percent "^0*([0-9]{1,2}|100)%$" "50%";
    Protocol "^[\\s\\S]{1,255}$" "mqtt";
    PublisherName "^[A-Za-z0-9]([A-Za-z0-9._-]{0,254}[A-Za-z0-9])?$" "greenhouse-01";
    Rate "^(unlimited|[0-9]+/(s|min|h))$" "2/s";
    SensorId "^[A-Za-z0-9_-]{1,64}$" "air";
    Sha256 "^[0-9A-Fa-f]{64}$" "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    Ssid "^[\\s\\S]{1,32}$" "Greenhouse";
    ThingName "^[A-Za-z0-9:_-]{1,128}$" "greenhouse-01";
    Timezone "^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$" "Europe/Amsterdam";
    Url "^https?://[^\\s/]+\\S*$" "https://example.org/card.img.xz";
    UserName "^(?!(root|imgbuild)$)[a-z][a-z0-9_-]{0,31}$" "pi";
}

values! {
    Country json_schema!({ "type": "string", "enum": countries(), "examples": ["NL"] });
    Gpio json_schema!({ "type": "integer", "minimum": 0, "maximum": 27, "examples": [17] });
    I2cAddress json_schema!({ "type": "integer", "minimum": 8, "maximum": 119, "examples": [72] });
    QoS json_schema!({ "type": "integer", "enum": [0, 1, 2], "examples": [1] });
    Source json_schema!({ "type": "string", "examples": ["!secret name"] });
}

fn countries() -> Vec<&'static str> {
    country::CODES.split(' ').collect()
}
