//! Programs that we did not write, as judges of the doubles.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use crate::support::process::{command, python};

/// What a judge says: lines. It must end well.
#[track_caller]
pub(crate) fn judge(script: &str, arguments: &[&OsStr], question: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/doubles");
    let mut judge = command(python().to_str().unwrap())
        .arg(folder.join(script))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    judge.stdin.take().unwrap().write_all(question.as_bytes()).unwrap();
    let output = judge.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{wrong}");
    said.lines().map(str::to_owned).collect()
}

/// That the first verdicts are these, that so many more follow, and that those are all of rules that were enforced.
#[track_caller]
pub(crate) fn content(verdicts: &[String], content: &[&str], rules: usize) {
    let (first, rest) = verdicts.split_at(content.len());
    assert_eq!(first, content, "{verdicts:#?}");
    let refused = rest.iter().all(|verdict| verdict.ends_with(": refused"));
    assert!(rest.len() == rules && refused, "{verdicts:#?}");
}
