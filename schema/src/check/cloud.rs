use super::{aws, azure, google, mqtt};
use crate::profile::{Cloud, Profile};
use crate::values::Host;
use crate::{Code, Problem, Sp};

pub(super) fn check(profile: &Profile, now: u64, problems: &mut Vec<Problem>) {
    match &*profile.cloud {
        Cloud::Mqtt(cloud) => mqtt::check(cloud, profile, now, problems),
        Cloud::AwsIot(cloud) => aws::check(cloud, profile, now, problems),
        Cloud::AzureIotHub(cloud) => azure::check_hub(cloud, profile, now, problems),
        Cloud::AzureEventHubs(cloud) => azure::check_event_hubs(cloud, now, problems),
        Cloud::GoogleIotCore(cloud) => google::check_iot_core(cloud, profile, now, problems),
        Cloud::GooglePubsub(cloud) => google::check_pubsub(cloud, now, problems),
    }
}

/// A host that should end in one of `endings`, unless it is stood in for.
pub(super) fn ending(host: &Sp<Host>, endings: &[&str], problems: &mut Vec<Problem>) {
    if !endings.iter().any(|ending| host.as_str().ends_with(ending)) {
        let endings: Vec<String> = endings.iter().map(|ending| format!("`{ending}`")).collect();
        problems.push(
            Problem::new(
                Code::Doubtful,
                host.span(),
                format!("`{}` is not a name that this cloud gives", **host),
            )
            .label(format!("usually ends in {}", endings.join(" or ")))
            .help(
                "a gateway or a test double goes under `connect`, and this stays the cloud's name",
            ),
        );
    }
}

/// One of the ports that the cloud listens on.
pub(super) fn port(port: Option<&Sp<u16>>, known: &[u16], problems: &mut Vec<Problem>) {
    let Some(port) = port.filter(|port| !known.contains(port)) else { return };
    let known: Vec<String> = known.iter().map(u16::to_string).collect();
    problems.push(
        Problem::new(
            Code::InvalidValue,
            port.span(),
            format!("this cloud does not listen on port {}", **port),
        )
        .label(format!("should be {}", known.join(" or "))),
    );
}

/// A name that is part of an address: letters, digits and some marks.
pub(super) fn name(
    name: &Sp<String>,
    what: &str,
    marks: &str,
    longest: usize,
    problems: &mut Vec<Problem>,
) {
    let plain = |c: char| c.is_ascii_alphanumeric() || marks.contains(c);
    if name.is_empty() || name.len() > longest || !name.chars().all(plain) {
        problems.push(
            Problem::new(Code::InvalidValue, name.span(), format!("`{}` cannot be {what}", **name))
                .label("no such name can be")
                .help(format!("it is 1 to {longest} letters, digits and any of `{marks}`")),
        );
    }
}
