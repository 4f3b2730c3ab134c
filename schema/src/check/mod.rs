//! What can be wrong with a profile that reads well: one function a rule, all of them run.

mod aws;
mod azure;
mod base64;
mod certificates;
mod cloud;
mod device;
mod first_boot;
mod google;
mod mqtt;
mod network;
mod pins;
pub(crate) mod secrets;
mod sensors;
mod telemetry;

use crate::{Problem, Profile};

/// Everything that the profile shows to be wrong at this time, in seconds since 1970.
pub(crate) fn profile(profile: &Profile, now: u64) -> Vec<Problem> {
    let mut problems = Vec::new();
    device::check(profile, &mut problems);
    first_boot::check(profile, &mut problems);
    network::check(&profile.network, &mut problems);
    cloud::check(profile, now, &mut problems);
    telemetry::check(profile, &mut problems);
    sensors::check(profile, &mut problems);
    pins::check(profile, &mut problems);
    secrets::check(profile, &mut problems);
    problems
}
