use std::path::Path;
use std::process::ExitCode;

use super::arguments::Init;
use super::output::Output;
use crate::init;

/// `imgbuild init`
pub(super) fn init(arguments: &Init, output: Output) -> anyhow::Result<ExitCode> {
    let written = init::init(&arguments.profile, &arguments.flags)?;
    let profile = &arguments.profile;
    output.progress(&match &written.secrets {
        Some(secrets) => format!(
            "{} is written, and its secrets are in {}, for you alone to read",
            profile.display(),
            secrets.display()
        ),
        None => format!("{} is written", profile.display()),
    });
    super::warn(&written.warnings, output);
    for message in &written.not_yet {
        output.progress(&format!("note: {message}"));
    }
    for path in &written.absent {
        output.progress(&format!("next: put a file at {}, which is not there yet", path.display()));
    }
    let profile = word(profile);
    output.progress(&format!("next: imgbuild check {profile}\nnext: imgbuild {profile}"));
    Ok(ExitCode::SUCCESS)
}

/// A path as a shell reads it.
fn word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "_-./+@".contains(c);
    match text.chars().all(plain) {
        _ if text.starts_with('-') => format!("'./{}'", text.replace('\'', r"'\''")),
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_can_be_pasted_into_a_shell() {
        for (path, shown) in [
            ("device.yaml", "device.yaml"),
            ("my house/it's.yaml", r"'my house/it'\''s.yaml'"),
            ("-x.yaml", "'./-x.yaml'"),
        ] {
            assert_eq!(word(Path::new(path)), shown);
        }
    }
}
