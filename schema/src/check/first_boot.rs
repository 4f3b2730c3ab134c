use crate::profile::{Backend, FirstBoot, Wifi};
use crate::{Code, Problem, Profile};

/// What cloud-init cannot be told, or not in a way that arrives.
pub(super) fn check(profile: &Profile, problems: &mut Vec<Problem>) {
    if *profile.first_boot != FirstBoot::CloudInit {
        return;
    }
    let Some(wifi) = &profile.network.wifi else { return };
    let problem = |span, message: String, label: &str| {
        Problem::new(Code::Contradiction, span, message)
            .label(label)
            .related(profile.first_boot.span(), "asks for cloud-init")
            .help("leave out `first_boot`: then everything is written in place")
    };
    if *wifi.backend == Backend::WpaSupplicant {
        problems.push(problem(
            wifi.backend.span(),
            "cloud-init has networks joined by NetworkManager, not by wpa_supplicant".into(),
            "would not be used",
        ));
    }
    problems.extend(names_that_change(wifi).map(|network| {
        let message = format!(
            "cloud-init cannot name the network {:?}: a semicolon or a control character is read otherwise on the way",
            network.as_str()
        );
        problem(network.span(), message, "would be another name")
    }));
}

/// Names that netplan writes as they are, or escaped twice, into a file in which they mean something else to
/// `NetworkManager`: `12;34;` is a list of bytes there.
fn names_that_change(wifi: &Wifi) -> impl Iterator<Item = &crate::Sp<crate::values::Ssid>> {
    let odd = |c: char| c == ';' || c.is_ascii_control();
    wifi.networks
        .iter()
        .map(|network| &network.ssid)
        .filter(move |ssid| ssid.as_str().contains(odd))
}
