use std::process::ExitCode;

use super::output;
use crate::tool::{self, Package, Standing};

/// `imgbuild doctor`
pub(super) fn doctor() -> anyhow::Result<ExitCode> {
    let mut wanted = Vec::new();
    for package in tool::packages() {
        let Package { purpose, name, version, probe } = package;
        let standing = package.standing();
        let state = match &standing {
            Standing::Present => "ok".to_owned(),
            Standing::TooOld(there) => format!("too old: {there}"),
            Standing::Missing => "missing".to_owned(),
        };
        let version = version.map_or_else(String::new, |version| format!(" {version} or later"));
        output::data(&format!("{purpose:<7} {state:<8} {name}{version} ({probe})\n"))?;
        if standing != Standing::Present {
            wanted.push(name);
        }
    }
    if wanted.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    output::say(&format!("install what is missing or too old: {}", wanted.join(" ")));
    Ok(ExitCode::from(3))
}
