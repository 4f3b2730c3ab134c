use std::collections::BTreeMap;

use serde::Deserialize;

/// What `overlay.yaml` says. Every text is a template; an entry of a list that comes out empty is left
/// out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Manifest {
    /// The condition under which the overlay applies; always, if there is none.
    pub when: Option<String>,
    /// A list, such as `network.wifi.networks`, of whose items each is a reason to apply the overlay once, with the
    /// item as `item`. Once, if there is none.
    pub each: Option<String>,
    /// What systemd starts, and what it must not.
    pub units: Units,
    /// Lines for `config.txt`, for all boards.
    pub config_txt: Vec<String>,
    /// Words for the kernel's command line. A word `key=value` replaces others of that key.
    pub cmdline: Vec<String>,
    /// Words to take out of the kernel's command line, if they are there.
    pub cmdline_without: Vec<String>,
    /// Groups to be there.
    pub groups: Vec<String>,
    /// Users to be there, each with a group of that name.
    pub users: Vec<User>,
    /// Is every account of the base to be locked?
    pub lock_accounts: bool,
    /// Links by their path.
    pub links: BTreeMap<String, String>,
    /// Owners and modes that differ from root and 0644 (0755 for folders), by path; `…/*` stands for
    /// all that lies directly in a folder.
    pub attributes: BTreeMap<String, Attributes>,
}

/// What systemd starts, and what it must not.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Units {
    /// Units to enable, as their `[Install]` sections say.
    pub enable: Vec<String>,
    /// Units to mask: nothing can start them.
    pub mask: Vec<String>,
}

/// A user to be there.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The login name.
    pub name: String,
    /// Is it an account for a program, below the ids of people?
    #[serde(default)]
    pub system: bool,
    /// The home folder. People's is made and filled from `/etc/skel`.
    pub home: String,
    /// The shell; none for an account nobody logs in to.
    #[serde(default = "User::no_shell")]
    pub shell: String,
    /// More groups to be in, of those that are there.
    #[serde(default)]
    pub groups: Vec<String>,
    /// The hashed password; none: no password opens the account.
    #[serde(default)]
    pub password: String,
}

impl User {
    fn no_shell() -> String {
        "/usr/sbin/nologin".to_owned()
    }
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "user {}", self.name)
    }
}

/// An owner and a mode.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Attributes {
    /// The permission bits in octal, in quotes: `"0600"`.
    pub mode: Option<String>,
    /// The owner's name.
    pub owner: Option<String>,
    /// The group's name.
    pub group: Option<String>,
}
