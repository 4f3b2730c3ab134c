//! Azure IoT Hub, its provisioning service, and Event Hubs, as Microsoft's documents have them.

use super::certificates::{self, Subject};
use super::{base64, cloud, telemetry};
use crate::profile::{AzureEventHubs, AzureIotHub, Dps, HubAuth, Profile, SasKey, Source};
use crate::{Code, Problem, Sp};

/// Hosts of hubs: the public cloud, China, the United States' government.
const HUBS: [&str; 3] = [".azure-devices.net", ".azure-devices.cn", ".azure-devices.us"];
const NAMESPACES: [&str; 3] =
    [".servicebus.windows.net", ".servicebus.chinacloudapi.cn", ".servicebus.usgovcloudapi.net"];
/// The longest that a hub waits for a sign of life, in seconds.
const LONGEST_KEEPALIVE: u64 = 1177;

pub(super) fn check_hub(
    azure: &AzureIotHub,
    profile: &Profile,
    now: u64,
    problems: &mut Vec<Problem>,
) {
    match (&azure.hub, &azure.dps) {
        (None, None) => problems.push(
            Problem::new(Code::ChooseOne, profile.cloud.span(), "there is neither `hub` nor `dps`")
                .label("leads to no hub")
                .help("add `hub: NAME.azure-devices.net`, or `dps: {id_scope: 0ne…}` to have one assigned"),
        ),
        (Some(hub), Some(dps)) => problems.push(
            Problem::new(Code::ChooseOne, dps.span(), "a hub that is named needs no assigning")
                .label("one of the two")
                .related(hub.span(), "the hub is named here")
                .help("leave out `hub` or `dps`"),
        ),
        (Some(hub), None) if azure.connect.is_none() => cloud::ending(hub, &HUBS, problems),
        _ => {}
    }
    if let Some(dps) = &azure.dps {
        id_scope(dps, problems);
    }
    let registration =
        azure.dps.as_ref().and_then(|dps| dps.registration_id.as_ref()).map(|id| id.as_str());
    match &*azure.auth {
        HubAuth::Sas(sas) => symmetric(sas, azure, problems),
        HubAuth::X509(x509) => certificates::identity(
            Some(&x509.certificate),
            Some(&x509.private_key),
            Subject::Named(registration.unwrap_or(profile.device.id.as_str())),
            now,
            problems,
        ),
    }
    certificates::authorities(azure.ca.as_ref(), now, problems);
    certificates::connect(azure.connect.as_ref(), now, problems);
    telemetry::keepalive(profile, 1, LONGEST_KEEPALIVE, "Azure IoT Hub", problems);
    telemetry::no_exactly_once(profile, "Azure IoT Hub", problems);
}

fn id_scope(dps: &Dps, problems: &mut Vec<Problem>) {
    let digits = dps.id_scope.strip_prefix("0ne");
    if !digits.is_some_and(|it| it.len() == 8 && it.bytes().all(|digit| digit.is_ascii_hexdigit()))
    {
        problems.push(
            Problem::new(Code::InvalidValue, dps.id_scope.span(), "this is not an ID scope")
                .label("should be `0ne` and eight digits")
                .help("it stands on the overview page of the provisioning service"),
        );
    }
}

fn symmetric(sas: &SasKey, azure: &AzureIotHub, problems: &mut Vec<Problem>) {
    match (&sas.key, &sas.group_key) {
        (None, None) => problems.push(
            Problem::new(
                Code::ChooseOne,
                azure.auth.span(),
                "there is neither `key` nor `group_key`",
            )
            .label("has no key")
            .help("add `key: !secret …`, the device's primary key"),
        ),
        (Some(key), Some(group_key)) => problems.push(
            Problem::new(Code::ChooseOne, group_key.span(), "a device has one key")
                .label("one of the two")
                .related(key.span(), "the device's own key is here")
                .help("leave out `key` or `group_key`"),
        ),
        (Some(key), None) => base64_key(key, problems),
        (None, Some(group_key)) => {
            base64_key(group_key, problems);
            if azure.dps.is_none() {
                problems.push(
                    Problem::new(
                        Code::Contradiction,
                        group_key.span(),
                        "a group's key opens no hub by itself",
                    )
                    .label("is for the provisioning service")
                    .help("add `dps: {id_scope: …}`, or take the device's own `key`"),
                );
            }
        }
    }
}

fn base64_key(key: &Sp<Source>, problems: &mut Vec<Problem>) {
    let text = key.text.expose().trim();
    let problem = |message: &str, help: &str| {
        Problem::new(Code::InvalidValue, key.span(), message.to_owned())
            .label("is no key")
            .help(help.to_owned())
    };
    if text.contains("SharedAccessKey=") {
        problems.push(problem(
            "this is a whole connection string",
            "take what stands after `SharedAccessKey=`",
        ));
    } else if text.contains("SharedAccessSignature") {
        problems.push(problem(
            "this is a token, which ends soon, and not the key that tokens are made from",
            "take the primary key",
        ));
    } else if !base64::is(text) {
        problems.push(problem(
            "a key is in Base64, as the portal shows it, and this is not",
            "copy it anew: 44 characters that end in `=`, or 88 that end in `==`",
        ));
    }
}

pub(super) fn check_event_hubs(hubs: &AzureEventHubs, now: u64, problems: &mut Vec<Problem>) {
    if hubs.connect.is_none() {
        cloud::ending(&hubs.namespace, &NAMESPACES, problems);
    }
    cloud::name(&hubs.hub, "an event hub's name", "._-", 256, problems);
    cloud::name(&hubs.policy, "a policy's name", "._-", 256, problems);
    base64_key(&hubs.key, problems);
    if hubs.policy.as_str() == "RootManageSharedAccessKey" {
        problems.push(
            Problem::new(
                Code::Doubtful,
                hubs.policy.span(),
                "with this policy's key a device can manage the whole namespace",
            )
            .label("can do everything")
            .help("make a policy of the event hub that can do no more than send"),
        );
    }
    certificates::authorities(hubs.ca.as_ref(), now, problems);
    certificates::connect(hubs.connect.as_ref(), now, problems);
}
