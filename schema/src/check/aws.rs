//! AWS IoT Core, as its developer guide has it.

use super::certificates::{self, Subject};
use super::{cloud, telemetry};
use crate::profile::{AwsIot, Profile};
use crate::{Code, Problem};

pub(super) fn check(aws: &AwsIot, profile: &Profile, now: u64, problems: &mut Vec<Problem>) {
    if aws.connect.is_none() {
        cloud::ending(&aws.endpoint, &[".amazonaws.com", ".amazonaws.com.cn"], problems);
    }
    legacy_endpoint(aws, problems);
    cloud::port(aws.port.as_ref(), &[8883, 443], problems);
    if aws.thing.is_none() && profile.device.id.as_str().contains('.') {
        problems.push(
            Problem::new(
                Code::InvalidValue,
                profile.device.id.span(),
                "a thing's name has no dots, and the device's id is taken for it",
            )
            .label("cannot be a thing's name")
            .help("choose another id, or add `thing` to `aws-iot`"),
        );
    }
    certificates::authorities(aws.ca.as_ref(), now, problems);
    let thing = aws.thing.as_ref().map_or(profile.device.id.as_str(), |thing| thing.as_str());
    certificates::identity(
        Some(&aws.certificate),
        Some(&aws.private_key),
        Subject::Aws(thing),
        now,
        problems,
    );
    certificates::connect(aws.connect.as_ref(), now, problems);
    telemetry::keepalive(profile, 30, 1200, "AWS IoT", problems);
    telemetry::no_exactly_once(profile, "AWS IoT", problems);
    telemetry::rate(
        profile,
        100.0,
        "AWS IoT takes 100 messages a second on a connection",
        problems,
    );
    telemetry::slashes(profile, 7, problems);
}

/// An endpoint without `-ats` is signed by an authority that is trusted no more.
fn legacy_endpoint(aws: &AwsIot, problems: &mut Vec<Problem>) {
    let name = aws.endpoint.as_str();
    let first = name.split('.').next().unwrap_or_default();
    if name.contains(".iot.") && name.ends_with(".amazonaws.com") && !first.ends_with("-ats") {
        problems.push(
            Problem::new(
                Code::InvalidValue,
                aws.endpoint.span(),
                "this is the account's old endpoint, which shows a certificate that is trusted no more",
            )
            .label("lacks `-ats`")
            .help("ask for it with `aws iot describe-endpoint --endpoint-type iot:Data-ATS`"),
        );
    }
}
