//! What can be wrong with a profile that reads well: one function a rule, all of them run.

mod cloud;
mod device;
mod network;
mod sensors;
mod telemetry;

use crate::{Problem, Profile};

/// Everything that the profile alone shows to be wrong.
pub(crate) fn profile(profile: &Profile) -> Vec<Problem> {
    let mut problems = Vec::new();
    device::check(profile, &mut problems);
    network::check(&profile.network, &mut problems);
    cloud::check(&profile.cloud, &mut problems);
    telemetry::check(&profile.telemetry, &mut problems);
    sensors::check(&profile.sensors, &mut problems);
    problems
}
