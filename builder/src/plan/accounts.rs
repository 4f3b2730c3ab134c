//! Users and groups: the base's account files with what overlays add.
//!
//! Formats: passwd(5), shadow(5), group(5), and gshadow(5). Lines that are not understood stay as they
//! are.

use std::ops::RangeInclusive;

use anyhow::{Context, bail};

use crate::base::tree::Tree;
use crate::overlay::{Rendered, User};

/// The ids of people, and those of programs; the latter are given from the top, as systemd does.
const PEOPLE: RangeInclusive<u32> = 1_000..=59_999;
const SYSTEM: RangeInclusive<u32> = 100..=999;
/// The id of the first of people.
const FIRST: u32 = 1_000;

const PASSWD: &str = "/etc/passwd";
const SHADOW: &str = "/etc/shadow";
const GROUP: &str = "/etc/group";
const GSHADOW: &str = "/etc/gshadow";

/// A password field that no password matches.
const NO_PASSWORD: &str = "!*";

/// The account files of a card.
#[derive(Clone, Debug, Default)]
pub(super) struct Accounts {
    passwd: Table,
    shadow: Table,
    group: Table,
    gshadow: Table,
    today: u64,
}

impl Accounts {
    /// Reads the base's accounts. `date` is when passwords count as set.
    pub(super) fn read(root: &dyn Tree, date: u64) -> anyhow::Result<Self> {
        let table = |path: &str| {
            let text = root.read_text(path)?.with_context(|| format!("the base has no {path}"))?;
            anyhow::Ok(Table::parse(&text))
        };
        let mut accounts = Self {
            passwd: table(PASSWD)?,
            shadow: table(SHADOW)?,
            group: table(GROUP)?,
            gshadow: table(GSHADOW)?,
            today: date / 86_400,
        };
        accounts.lock("root");
        Ok(accounts)
    }

    /// Adds what overlays want: groups before users, since a user may be in another overlay's group.
    pub(super) fn apply(&mut self, overlays: &[Rendered]) -> anyhow::Result<()> {
        let of = |overlay: &Rendered| overlay.origin.clone();
        for overlay in overlays {
            if overlay.manifest.lock_accounts {
                for name in self.shadow.names() {
                    self.lock(&name);
                }
            }
            for group in &overlay.manifest.groups {
                self.add_group(group, SYSTEM.rev()).with_context(|| of(overlay))?;
            }
        }
        for overlay in overlays {
            for user in &overlay.manifest.users {
                self.add_user(user).with_context(|| of(overlay))?;
            }
        }
        Ok(())
    }

    /// The files that differ from the base's, with their new text.
    pub(super) fn changed(&self) -> Vec<(&'static str, String)> {
        let tables = [
            (PASSWD, &self.passwd),
            (SHADOW, &self.shadow),
            (GROUP, &self.group),
            (GSHADOW, &self.gshadow),
        ];
        tables
            .into_iter()
            .filter(|(_, table)| table.changed)
            .map(|(path, table)| (path, table.text()))
            .collect()
    }

    pub(super) fn uid(&self, name: &str) -> anyhow::Result<u32> {
        self.passwd.number(name, 2).with_context(|| format!("there is no user `{name}`"))
    }

    pub(super) fn gid(&self, name: &str) -> anyhow::Result<u32> {
        self.group.number(name, 2).with_context(|| format!("there is no group `{name}`"))
    }

    fn add_user(&mut self, user: &User) -> anyhow::Result<()> {
        let User { name, home, shell, .. } = user;
        if !user.system && self.uid(name).is_err() {
            self.rename_first(name);
        }
        let password = if user.password.is_empty() { NO_PASSWORD } else { &user.password };
        let mut fields = [name, "x", "", "", "", home, shell].map(str::to_owned);
        let range = if user.system { SYSTEM } else { PEOPLE };
        match self.uid(name) {
            Ok(uid) if range.contains(&uid) => {
                // somebody of that name is there: the account is taken over with its id
                fields[2] = uid.to_string();
                for index in [3, 4] {
                    let there = self.passwd.field(name, index).unwrap_or_default();
                    there.clone_into(&mut fields[index]);
                }
            }
            Ok(uid) => bail!("`{name}` is taken: in the base it is a user with the id {uid}"),
            Err(_) => {
                let gid = if user.system {
                    self.add_group(name, SYSTEM.rev())?
                } else {
                    self.add_group(name, PEOPLE)?
                };
                let uid = std::iter::once(gid)
                    .chain(range.clone())
                    .find(|id| range.contains(id) && !self.passwd.has_number(*id, 2))
                    .context("every id is taken")?;
                fields[2] = uid.to_string();
                fields[3] = gid.to_string();
            }
        }
        self.passwd.set(&fields);
        let days = self.today.to_string();
        let shadow = [name, password, &days, "0", "99999", "7", "", "", ""].map(str::to_owned);
        self.shadow.set(&shadow);
        for group in &user.groups {
            self.join(group, name);
        }
        Ok(())
    }

    /// Gives a base's first user another name, if nobody can log in to the account: it is there to be renamed. Raspberry
    /// Pi OS has such a one, `pi`, which is in all the groups that matter there.
    fn rename_first(&mut self, name: &str) {
        let first = self.passwd.names().into_iter().find(|it| self.uid(it).ok() == Some(FIRST));
        let locked = |it: &String| self.shadow.field(it, 1).is_some_and(is_locked);
        let Some(first) = first.filter(locked) else { return };
        for table in [&mut self.passwd, &mut self.shadow, &mut self.group, &mut self.gshadow] {
            table.edit(&first, 0, |_| name.to_owned());
        }
        for table in [&mut self.group, &mut self.gshadow] {
            for group in table.names() {
                table.edit(&group, 3, |list| {
                    let members = list.split(',').map(|it| if it == first { name } else { it });
                    members.collect::<Vec<_>>().join(",")
                });
            }
        }
    }

    /// A group of that name and its id, made if it is not there, with the first of `ids` that is free
    /// both as a group's and as a user's.
    fn add_group(&mut self, name: &str, mut ids: impl Iterator<Item = u32>) -> anyhow::Result<u32> {
        if let Ok(gid) = self.gid(name) {
            return Ok(gid);
        }
        let gid = ids
            .find(|id| !self.group.has_number(*id, 2) && !self.passwd.has_number(*id, 2))
            .with_context(|| format!("no id is left for the group `{name}`"))?;
        self.group.set(&[name, "x", &gid.to_string(), ""].map(str::to_owned));
        self.gshadow.set(&[name, "!", "", ""].map(str::to_owned));
        Ok(gid)
    }

    /// Puts a user into a group, if there is such a group.
    fn join(&mut self, group: &str, user: &str) {
        for (table, members) in [(&mut self.group, 3), (&mut self.gshadow, 3)] {
            table.edit(group, members, |list| {
                if list.split(',').any(|member| member == user) {
                    list.to_owned()
                } else if list.is_empty() {
                    user.to_owned()
                } else {
                    format!("{list},{user}")
                }
            });
        }
    }

    /// No password opens the account from here on.
    fn lock(&mut self, name: &str) {
        self.shadow.edit(name, 1, |password| {
            if is_locked(password) { password.to_owned() } else { format!("!{password}") }
        });
    }
}

/// Does no password open an account with this field (shadow(5))?
fn is_locked(password: &str) -> bool {
    password.starts_with(['!', '*'])
}

/// A file of lines of fields with colons between them, the first of which is a name.
#[derive(Clone, Debug, Default)]
struct Table {
    lines: Vec<Vec<String>>,
    changed: bool,
}

impl Table {
    fn parse(text: &str) -> Self {
        let lines = text.lines().map(|line| line.split(':').map(str::to_owned).collect()).collect();
        Self { lines, changed: false }
    }

    fn text(&self) -> String {
        self.lines.iter().map(|fields| fields.join(":") + "\n").collect()
    }

    fn names(&self) -> Vec<String> {
        self.lines.iter().map(|fields| fields[0].clone()).collect()
    }

    fn field(&self, name: &str, index: usize) -> Option<&str> {
        let line = self.lines.iter().find(|fields| fields[0] == name)?;
        line.get(index).map(String::as_str)
    }

    fn number(&self, name: &str, index: usize) -> Option<u32> {
        self.field(name, index)?.parse().ok()
    }

    fn has_number(&self, number: u32, index: usize) -> bool {
        let number = number.to_string();
        self.lines.iter().any(|fields| fields.get(index) == Some(&number))
    }

    /// Sets the line of a name, in its place or at the end.
    fn set(&mut self, fields: &[String]) {
        self.changed = true;
        match self.lines.iter_mut().find(|line| line[0] == fields[0]) {
            Some(line) => *line = fields.to_vec(),
            None => self.lines.push(fields.to_vec()),
        }
    }

    fn edit(&mut self, name: &str, index: usize, edit: impl Fn(&str) -> String) {
        let line = self.lines.iter_mut().find(|fields| fields[0] == name);
        if let Some(field) = line.and_then(|fields| fields.get_mut(index)) {
            let edited = edit(field);
            self.changed |= edited != *field;
            *field = edited;
        }
    }
}
