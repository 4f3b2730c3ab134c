//! Secrets that are written out in the profile.

use crate::profile::{Cloud, HubAuth, Profile, Source, Tls};
use crate::{Code, Problem, Sp};

/// Every text of a profile that must not be seen, with a name for it in a file of secrets.
pub(crate) fn of(profile: &Profile) -> Vec<(&Sp<Source>, &'static str)> {
    let wifi = profile.network.wifi.iter().flat_map(|wifi| wifi.networks.iter());
    let mut secrets: Vec<(&Sp<Source>, &'static str)> =
        wifi.filter_map(|network| Some((network.psk.as_ref()?, "wifi.name"))).collect();
    let password = profile.access.as_ref().and_then(|access| access.password.as_ref());
    // a hashed password is made to be seen
    let in_clear = password.filter(|password| !password.text.expose().starts_with('$'));
    secrets.extend(in_clear.map(|password| (password, "user.password")));
    secrets.extend(of_cloud(&profile.cloud).into_iter().map(|secret| (secret, "cloud.key")));
    secrets
}

pub(super) fn check(profile: &Profile, problems: &mut Vec<Problem>) {
    for (secret, name) in of(profile) {
        if secret.origin.is_none() && secret.span().is_some() {
            problems.push(
                Problem::new(Code::ClearSecret, secret.span(), "a secret is written out here")
                    .label("is read by everybody who reads the profile")
                    .help(format!(
                        "write it into secrets.yaml beside the profile as `{name}: …`, and here `!secret {name}`"
                    )),
            );
        }
    }
}

fn of_cloud(cloud: &Cloud) -> Vec<&Sp<Source>> {
    match cloud {
        Cloud::Mqtt(mqtt) => {
            let key = match &*mqtt.tls {
                Tls::On(tls) => tls.private_key.as_ref(),
                Tls::Off => None,
            };
            mqtt.password.iter().chain(key).collect()
        }
        Cloud::AwsIot(aws) => vec![&aws.private_key],
        Cloud::AzureIotHub(azure) => match &*azure.auth {
            HubAuth::Sas(sas) => sas.key.iter().chain(&sas.group_key).collect(),
            HubAuth::X509(x509) => vec![&x509.private_key],
        },
        Cloud::AzureEventHubs(hubs) => vec![&hubs.key],
        Cloud::GoogleIotCore(google) => vec![&google.private_key],
        Cloud::GooglePubsub(google) => vec![&google.service_account],
    }
}
