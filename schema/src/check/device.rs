use crate::profile::{Access, Base, Model, NamedBase, Profile, VERSION};
use crate::{Code, Problem, Sp};

pub(super) fn check(profile: &Profile, problems: &mut Vec<Problem>) {
    version(&profile.version, problems);
    let named = match &*profile.base {
        Base::Named(base) => Some(*base),
        Base::Released(released) => Some(released.base),
        Base::File(_) | Base::Url(_) => None,
    };
    if let Some(base) = named {
        self::base(&profile.device.model, &profile.base.with(base), problems);
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

/// What an image file can boot, its own facts tell later.
fn base(model: &Sp<Model>, base: &Sp<NamedBase>, problems: &mut Vec<Problem>) {
    if base.models().contains(model) {
        return;
    }
    let name = base.name();
    let why = if model.runs(base.architecture()) {
        format!("{} cannot boot the base {name}", model.name())
    } else {
        format!("{} cannot run the base {name}, which is made for another processor", model.name())
    };
    let boots = |base: &NamedBase| base.models().contains(model);
    let others = NamedBase::ALL.into_iter().filter(boots).map(NamedBase::name);
    let models: Vec<&str> = base.models().iter().map(|model| model.name()).collect();
    problems.push(
        Problem::new(Code::ModelNeedsOtherBase, model.span(), why)
            .label("needs another base")
            .related(base.span(), format!("boots {}", models.join(", ")))
            .help(format!("for this model: {}", others.collect::<Vec<_>>().join(", "))),
    );
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
