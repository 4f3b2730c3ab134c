//! What a record is as a message.

use imgbuild_schema::CardProfile;

use crate::clock::Utc;
use crate::mqtt::Message;
use crate::record::Record;
use crate::sensor::quantities;

/// The message that tells of a record, with the time of day that it has or, failing that, `now`.
pub fn message(record: &Record, profile: &CardProfile, now: Utc) -> Message {
    let sensor = &profile.sensors[record.sensor];
    let utc = record.stamp.utc.unwrap_or(now);
    let (device, name) = (profile.device.id.as_str(), sensor.id.as_str());
    Message {
        topic: super::topic(&profile.cloud, record.sequence, &sensor.topic),
        payload: record.json(device, name, quantities(&sensor.driver), utc),
        qos: profile.telemetry.qos,
        retain: false,
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
    fn a_message_goes_where_its_sensor_says() {
        let reading = Ok(vec![Measurement { quantity: Quantity::Temperature, value: 48.3 }]);
        let stamp = Stamp { boot: BootTime::default(), utc: Some(Utc::default()) };
        let record = Record { sequence: 1, sensor: 0, stamp, reading };
        let message = message(&record, &profile(), Utc::default());
        assert_eq!(message.topic, "greenhouse-01/cpu");
        assert!(message.payload.contains(r#""sensor":"cpu","temperature":48.3,"#));
    }
}
