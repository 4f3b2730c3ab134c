//! Any MQTT broker: the profile says it all.

use std::sync::Arc;

use imgbuild_schema::CardProfile;
use imgbuild_schema::card::Cloud;
use imgbuild_schema::values::{Endpoint, Secret};
use rustls::ClientConfig;

use crate::clock::Utc;
use crate::mqtt::{Message, Options};
use crate::record::Record;
use crate::sensor::quantities;

/// How to connect, given what was read from the files that the profile names.
///
/// `address` is where to connect in place of the broker's own name and port.
pub fn options(
    profile: &CardProfile,
    tls: Option<Arc<ClientConfig>>,
    password: Option<Secret>,
    address: Option<&Endpoint>,
) -> Options {
    let Cloud::Mqtt(broker) = &profile.cloud;
    let (dial_host, dial_port) = match address {
        Some(address) => (address.host(), address.port()),
        None => (broker.host.as_str(), broker.port),
    };
    Options {
        host: broker.host.clone(),
        dial: (dial_host.to_owned(), dial_port),
        client_id: broker.client_id.clone(),
        username: broker.username.clone(),
        password,
        tls,
        keepalive: profile.telemetry.keepalive.get(),
        connect_timeout: profile.telemetry.connect_timeout.get(),
    }
}

/// The message that tells of a record, with the time of day that it has or, failing that, `now`.
pub fn message(record: &Record, profile: &CardProfile, now: Utc) -> Message {
    let sensor = &profile.sensors[record.sensor];
    let utc = record.stamp.utc.unwrap_or(now);
    let (device, name) = (profile.device.id.as_str(), sensor.id.as_str());
    Message {
        topic: sensor.topic.to_string(),
        payload: record.json(device, name, quantities(&sensor.driver), utc),
        qos: profile.telemetry.qos,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::BootTime;
    use crate::record::Stamp;
    use crate::sensor::{Measurement, Quantity};

    fn profile() -> CardProfile {
        imgbuild_schema::yaml::parse(crate::config::tests::PROFILE).unwrap()
    }

    #[test]
    fn the_name_stays_when_the_address_is_another() {
        let options = options(&profile(), None, None, Some(&"10.0.2.2:18883".parse().unwrap()));
        assert_eq!(options.host, "broker.example");
        assert_eq!(options.dial, ("10.0.2.2".to_owned(), 18883));
    }

    #[test]
    fn a_message_goes_where_its_sensor_says() {
        let reading = Ok(vec![Measurement { quantity: Quantity::Temperature, value: 48.3 }]);
        let stamp = Stamp { boot: BootTime::default(), utc: Some(Utc::default()) };
        let record = Record { sequence: 1, sensor: 0, stamp, reading };
        let message = message(&record, &profile(), Utc::default());
        assert_eq!(message.topic, "greenhouse-01/cpu");
        assert!(message.payload.contains(r#""sensor":"cpu","temperature":48.3,"#));
    }
}
