use super::{Noted, Resolver};
use crate::profile::{Access, Source};
use crate::spec::AccessSpec;
use crate::{Code, Problem, Sp};

pub(super) fn access(access: &Access, resolver: &mut Resolver<'_>) -> Result<AccessSpec, Noted> {
    let keys: Vec<_> = access.ssh_keys.iter().map(|key| ssh_keys(key, resolver)).collect();
    Ok(AccessSpec {
        user: (*access.user).clone(),
        password: access.password.as_ref().map(|password| password.text.line()),
        ssh_keys: keys.into_iter().collect::<Result<Vec<_>, _>>()?.concat(),
    })
}

/// The keys in one entry: a line, or a file of lines. A private key is caught before it is published.
fn ssh_keys(source: &Sp<Source>, resolver: &mut Resolver<'_>) -> Result<Vec<String>, Noted> {
    let lines = source.text.expose().lines().map(str::trim);
    let keys: Vec<String> = lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect();
    let public = |key: &String| {
        let mut words = key.split_whitespace();
        let kind = words.next().unwrap_or_default();
        (kind.starts_with("ssh-") || kind.starts_with("ecdsa-") || kind.starts_with("sk-"))
            && words.next().is_some_and(|key| key.starts_with("AAAA"))
    };
    if keys.is_empty() || !keys.iter().all(public) {
        return Err(resolver.note(
            Problem::new(Code::Access, source.span(), "this is not a public SSH key")
                .label("should begin with `ssh-ed25519 AAAA` or the like")
                .help("the public key is in the file that ends in `.pub`"),
        ));
    }
    Ok(keys)
}
