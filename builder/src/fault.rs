//! Whose fault a failure is, which decides the exit status.

use std::fmt;

use imgbuild_schema::report::Report;

use crate::tool::Missing;

/// A profile, or an overlay, that cannot be built from. Shows itself inside the user's file.
#[derive(Debug)]
pub struct Refused(pub Report);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Refused {}

/// This machine lacks something that is not a program of a Debian package.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Lacking(pub String);

/// The exit status of a failure: 1 if the profile or the image is at fault, 3 if the machine lacks
/// something.
pub fn exit_status(error: &anyhow::Error) -> u8 {
    let lacking = error.chain().any(|cause| cause.is::<Missing>() || cause.is::<Lacking>());
    if lacking { 3 } else { 1 }
}
