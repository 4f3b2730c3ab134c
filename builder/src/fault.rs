//! Whose fault a failure is, which decides the exit status.

use std::fmt;
use std::io;

use imgbuild_schema::report::Report;

use crate::interrupt::{self, Interrupted};
use crate::tool::{Failed, Missing};

/// A profile, or an overlay, that cannot be built from. Shows itself inside the user's file.
#[derive(Debug)]
pub struct Refused(pub Report);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Refused {}

/// The program was not called as it can be.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// This machine lacks something that is not a program of a Debian package.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Lacking(pub String);

/// The exit status of a failure: 1 if the profile or the image is at fault, 2 for wrong usage, 3 if the
/// machine lacks something, 128 and the signal if we were asked to end.
pub fn exit_status(error: &anyhow::Error) -> u8 {
    if let Some(interrupted) = interruption(error) {
        return interrupted.exit_status();
    }
    if error.chain().any(<dyn std::error::Error>::is::<Usage>) {
        return 2;
    }
    let lacking =
        error.chain().any(|cause| cause.is::<Missing>() || cause.is::<Lacking>() || is_full(cause));
    if lacking { 3 } else { 1 }
}

/// The signal that is behind a failure: found on the way, or by a tool that ended because of it.
pub fn interruption(error: &anyhow::Error) -> Option<Interrupted> {
    let direct = error.chain().find_map(|cause| cause.downcast_ref::<Interrupted>().copied());
    direct.or_else(|| {
        error.chain().any(<dyn std::error::Error>::is::<Failed>).then(interrupt::came)?
    })
}

/// Is this a disk that has no room left, as the system or a tool says it?
fn is_full(cause: &(dyn std::error::Error + 'static)) -> bool {
    if let Some(failed) = cause.downcast_ref::<Failed>() {
        return failed.is_full();
    }
    cause
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::StorageFull)
}

/// Why a file cannot be read, without the number that the system gives the reason.
pub(crate) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        io::ErrorKind::IsADirectory => "it is a folder".into(),
        io::ErrorKind::InvalidData => "it is not UTF-8".into(),
        _ => error.to_string(),
    }
}

/// The same as an error, which is no less the machine's fault than it was.
pub(crate) fn plainly(error: &io::Error) -> anyhow::Error {
    io::Error::new(error.kind(), reason(error)).into()
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn what_is_behind_a_failure_decides() {
        let failed = |complaint: &str| Failed {
            title: "writing".into(),
            program: "mcopy".into(),
            how: "exit status: 1".into(),
            complaint: complaint.into(),
        };
        let status = |error: anyhow::Error| {
            exit_status(&Err::<(), _>(error).context("building").unwrap_err())
        };
        assert_eq!(status(Usage("no".into()).into()), 2);
        assert_eq!(status(Lacking("no".into()).into()), 3);
        assert_eq!(status(io::Error::from(io::ErrorKind::StorageFull).into()), 3);
        assert_eq!(status(failed("write: No space left on device").into()), 3);
        assert_eq!(status(failed("file not found").into()), 1);
        assert_eq!(status(io::Error::from(io::ErrorKind::NotFound).into()), 1);
    }
}
