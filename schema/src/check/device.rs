use crate::profile::{Access, Base, Model, Profile, VERSION};
use crate::{Code, Problem, Sp};

pub(super) fn check(profile: &Profile, problems: &mut Vec<Problem>) {
    version(&profile.version, problems);
    if let Base::Named(base) = *profile.base {
        let model = &profile.device.model;
        if !base.models().contains(model) {
            let known: Vec<&str> = base.models().iter().map(|model| model.name()).collect();
            problems.push(model_needs_other_base(model, base.name(), &known));
        }
    }
    if let Some(keyboard) = &profile.device.keyboard {
        self::keyboard(keyboard, problems);
    }
    if let Some(access) = &profile.access {
        self::access(access, problems);
    }
}

fn version(version: &Sp<u32>, problems: &mut Vec<Problem>) {
    if **version != VERSION {
        problems.push(
            Problem::new(
                Code::UnknownVersion,
                version.span(),
                format!("version {} of the profile language is not known", **version),
            )
            .label("not a known version")
            .help(format!("this program reads version {VERSION}")),
        );
    }
}

/// The problem of a model that its base cannot boot. What an image file can boot, its own facts tell later.
fn model_needs_other_base(model: &Sp<Model>, base: &str, boots: &[&str]) -> Problem {
    let boots = if boots.is_empty() { "no Raspberry Pi".to_owned() } else { boots.join(", ") };
    Problem::new(
        Code::ModelNeedsOtherBase,
        model.span(),
        format!("{} cannot boot the base {base}", model.name()),
    )
    .label("needs another base")
    .help(format!("this base boots {boots}"))
}

/// X keyboard layouts are short lower-case words; whether one exists is asked of the base.
fn keyboard(layout: &Sp<String>, problems: &mut Vec<Problem>) {
    let plain = |c: char| c.is_ascii_lowercase();
    if !(2..=8).contains(&layout.len()) || !layout.chars().all(plain) {
        problems.push(
            Problem::new(Code::InvalidValue, layout.span(), "this is not a keyboard layout")
                .label("should be two lower-case letters or a few more")
                .help("layouts are named like `us`, `gb`, `de` or `latam`"),
        );
    }
}

fn access(access: &Sp<Access>, problems: &mut Vec<Problem>) {
    if access.password.is_none() && access.ssh_keys.is_empty() {
        problems.push(
            Problem::new(
                Code::Access,
                access.user.span(),
                format!(
                    "`{}` could not log in: neither `password` nor `ssh_keys` is given",
                    *access.user
                ),
            )
            .label("has no way in")
            .help("add one of them, or leave `access` out if nobody is to log in"),
        );
    }
}
