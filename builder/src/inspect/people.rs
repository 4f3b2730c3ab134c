//! Who can log in.

use serde::Serialize;

use crate::base::tree::Tree;

/// An account that somebody may log in to.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its id.
    pub uid: u32,
    /// `set`, `locked` or `empty`: which kind of password it has.
    pub password: &'static str,
    /// How many SSH keys open it.
    pub ssh_keys: usize,
    /// The groups it is in beside its own.
    pub groups: Vec<String>,
}

/// Root and people's accounts, as login.defs(5) numbers them.
pub(super) fn read(root: &dyn Tree) -> anyhow::Result<Vec<Account>> {
    let text = |path: &str| Ok::<_, anyhow::Error>(root.read_text(path)?.unwrap_or_default());
    let (passwd, shadow, group) = (text("/etc/passwd")?, text("/etc/shadow")?, text("/etc/group")?);
    let mut accounts = Vec::new();
    for line in passwd.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, uid, _, _, home, ..] = fields[..] else { continue };
        let Ok(uid) = uid.parse::<u32>() else { continue };
        if uid != 0 && !(1000..60_000).contains(&uid) {
            continue;
        }
        let keys = text(&format!("{home}/.ssh/authorized_keys"))?;
        let is_key = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
        accounts.push(Account {
            name: name.to_owned(),
            uid,
            password: password(&shadow, name),
            ssh_keys: keys.lines().filter(is_key).count(),
            groups: groups(&group, name),
        });
    }
    Ok(accounts)
}

/// Which kind of password a name has in shadow(5).
fn password(shadow: &str, name: &str) -> &'static str {
    let line = shadow.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    match line.and_then(|line| line.split(':').next()) {
        Some("") => "empty",
        Some(field) if !field.starts_with(['!', '*']) => "set",
        _ => "locked",
    }
}

fn groups(group: &str, name: &str) -> Vec<String> {
    let is_member = |line: &&str| {
        line.rsplit(':').next().is_some_and(|members| members.split(',').any(|it| it == name))
    };
    let names = group.lines().filter(is_member).filter_map(|line| line.split(':').next());
    names.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_set_locked_or_empty() {
        let shadow = "root:*:1:\npi:$6$a$b:1:\nme:!$6$a$b:1:\nopen::1:\n";
        let of = |name| password(shadow, name);
        assert_eq!(
            [of("root"), of("pi"), of("me"), of("open"), of("who")],
            ["locked", "set", "locked", "empty", "locked"]
        );
        assert_eq!(groups("sudo:x:27:pi,me\nadm:x:4:\npi:x:1000:\n", "pi"), ["sudo"]);
    }
}
