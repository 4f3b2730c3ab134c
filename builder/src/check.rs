//! What is wrong with a profile, and with the files that a build would read beside it.

use std::path::Path;

use imgbuild_schema::report::Report;
use imgbuild_schema::{Code, DeviceSpec, Outcome, Problem, profile};

use crate::choices::Choices;
use crate::fault::{Refused, reason};
use crate::overlay;
use crate::profile::{Disk, examine};

/// All that can be told without a base: first of the profile's own text, then of each overlay's.
pub fn profile(path: &Path) -> Vec<Report> {
    let mut outcome = match examine(path) {
        Ok(outcome) => outcome,
        Err(error) => {
            let problem = Problem::new(Code::UnreadableFile, None, format!("{error:#}"));
            return vec![Report::of(&path.display().to_string(), "", problem)];
        }
    };
    let mut beside = Vec::new();
    if let Some(spec) = outcome.spec.take() {
        let disk = Disk::beside(path);
        base(&spec, &disk, &mut outcome);
        beside = overlays(&spec, &disk, &mut outcome);
    }
    let problems = std::mem::take(&mut outcome.problems);
    beside.insert(0, outcome.report(problems));
    beside
}

/// An image to start from that is not there.
fn base(spec: &DeviceSpec, disk: &Disk, outcome: &mut Outcome) {
    let profile::Base::File(base) = &*spec.base else { return };
    let missing = match disk.place(&base.file).metadata() {
        Ok(metadata) if metadata.is_file() => return,
        Ok(_) => "it is not a file".to_owned(),
        Err(error) => reason(&error),
    };
    let message = format!("the base image {} cannot be read: {missing}", base.file.display());
    outcome.problems.push(
        Problem::new(Code::UnreadableFile, base.file.span(), message)
            .label("cannot be started from")
            .help("paths in a profile are relative to the profile"),
    );
}

/// Fills in the user's own overlays. What is wrong with their texts is returned, drawn into them.
fn overlays(spec: &DeviceSpec, disk: &Disk, outcome: &mut Outcome) -> Vec<Report> {
    let context = overlay::context(spec, &Choices::unread(spec), None);
    let mut reports = Vec::new();
    for folder in &spec.overlays {
        let filled_in = overlay::from_folder(&disk.place(folder))
            .and_then(|overlay| overlay::render(&overlay, &context));
        match filled_in.map_err(anyhow::Error::downcast::<Refused>) {
            Ok(_) => {}
            Err(Ok(Refused(report))) => reports.push(report),
            Err(Err(error)) => outcome.problems.push(
                Problem::new(Code::BadOverlay, folder.span(), format!("{error:#}"))
                    .label("cannot be applied"),
            ),
        }
    }
    reports
}
