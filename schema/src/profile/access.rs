use schemars::JsonSchema;
use serde::Deserialize;

use super::Source;
use crate::Sp;
use crate::values::UserName;

/// Who can log in.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// The user's name.
    pub user: Sp<UserName>,
    /// The password for the console, in clear or hashed (`$6$…`, `$y$…`). Left out: no password opens
    /// the account. Over SSH a password never does if there are keys.
    #[serde(default)]
    pub password: Option<Sp<Source>>,
    /// The SSH keys that open the account.
    #[serde(default)]
    pub ssh_keys: Vec<Sp<Source>>,
}
