//! Downloads, which may be broken off at any moment and go on from there.
//!
//! ```text
//! server ─► transfer, a thread of its own ─► NAME.part, hashed on the way ─► verified
//! ```
//!
//! What has come is kept in `NAME.part`, and beside it, in `NAME.part.tag`, what the server calls this version of the
//! file. The next download asks for the rest (RFC 9110, sections 13.1.5 and 14.2) and takes it only if it begins
//! where the part ends; a server that cannot do that sends everything again. Whether the whole is right, its SHA-256
//! alone decides.

mod client;
mod part;
mod transfer;

use std::path::Path;

use anyhow::{Context, bail, ensure};

use crate::progress::{Watch, Work};
use client::Client;
use part::Part;
use transfer::{Event, Transfer};

pub use client::Patience;

/// A file to be downloaded.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// Where it is, `http:` or `https:`.
    pub url: &'a str,
    /// Its SHA-256 in lower-case hexadecimal, if it is known.
    pub sha256: Option<&'a str>,
    /// Its length in bytes, if it is known.
    pub size: Option<u64>,
    /// Is the file itself proved to be right in another way, once it is here? Without that, and without a
    /// SHA-256, it has to come over TLS.
    pub proved_later: bool,
}

/// A file that was downloaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downloaded {
    /// Its SHA-256 in lower-case hexadecimal.
    pub sha256: String,
    /// Its length in bytes.
    pub size: u64,
}

/// How often the rest is asked for anew after a connection broke that had brought something.
const RESUMPTIONS: u32 = 20;

/// Downloads a file into `part`, from where an earlier download of the same file left off. When this fails, what
/// has come stays there, unless it is known to be wrong.
pub fn download(
    wanted: &Wanted<'_>,
    part: &Path,
    patience: Patience,
    watch: &dyn Watch,
) -> anyhow::Result<Downloaded> {
    let work = || {
        let client = Client::new(wanted, patience)?;
        let mut part = Part::open(part, watch)?;
        let mut resumed = part.length() > 0;
        for _ in 0..=RESUMPTIONS {
            let is_complete = part.length() > 0 && Some(part.length()) == wanted.size;
            if !is_complete && !attempt(&client, &mut part, watch)? {
                let bytes = part.length();
                watch.line(&format!(
                    "the connection broke after {bytes} bytes; asking for the rest"
                ));
                resumed = true;
                continue;
            }
            match part.complaint(wanted) {
                None => return part.finish(),
                Some(complaint) if resumed => {
                    watch.line(&format!("{complaint}; beginning anew"));
                    resumed = false;
                    part.clear()?;
                }
                Some(complaint) => {
                    part.discard()?;
                    bail!("{complaint}; nothing of it was kept");
                }
            }
        }
        bail!(
            "the connection broke again and again; what has come is kept, and the next try goes on from there"
        )
    };
    work().with_context(|| format!("downloading {}", shown(wanted.url)))
}

/// Fetches a text over TLS, or from this machine, of at most `most` bytes.
pub fn text(url: &str, most: u64, patience: Patience) -> anyhow::Result<String> {
    let work = || {
        let wanted = Wanted { url, sha256: None, size: None, proved_later: is_here(url) };
        let transfer = Transfer::begin(&Client::new(&wanted, patience)?, None)?;
        let mut bytes = Vec::new();
        loop {
            match transfer.next()? {
                Event::Start(start) => start.check_status()?,
                Event::Data(data) => bytes.extend(data),
                Event::End => break,
                Event::Broken(error) => return Err(error),
            }
            ensure!(bytes.len() as u64 <= most, "it is larger than {} MiB", most >> 20);
        }
        String::from_utf8(bytes).context("it is no text: it is not UTF-8")
    };
    work().with_context(|| format!("downloading {}", shown(url)))
}

/// Is this an address of this machine itself, where nobody can stand in between?
fn is_here(url: &str) -> bool {
    let host = url.split_once("://").map_or("", |(_, rest)| rest);
    let host = host.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    ["localhost", "127.0.0.1", "[::1]"].contains(&name)
}

/// An address as it may be shown: without a password, and without a query, which may be a token.
pub fn shown(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            format!("{scheme}://{host}{path}")
        }
        None => url.to_owned(),
    }
}

/// One request, for all or for the rest. Says whether everything has come; if the connection broke after it had
/// brought something, that is no error.
fn attempt(client: &Client, part: &mut Part<'_>, watch: &dyn Watch) -> anyhow::Result<bool> {
    let before = part.length();
    let resume = (before > 0).then(|| (before, part.tag()));
    let transfer = Transfer::begin(client, resume)?;
    let mut brought = 0_u64;
    let mut total = None;
    let mut work = None;
    loop {
        match transfer.next()? {
            Event::Start(start) => {
                match start.place(before)? {
                    client::Place::Rest => {}
                    client::Place::Complete => return Ok(true),
                    client::Place::Elsewhere => {
                        part.clear()?;
                        return attempt(client, part, watch);
                    }
                    client::Place::Everything => part.clear()?,
                }
                part.remember_tag(&start)?;
                total = start.length.map(|length| part.length() + length);
                work = Some(Work::begin(
                    watch,
                    &format!("downloading {}", shown(client.url())),
                    total,
                ));
            }
            Event::Data(data) => {
                part.append(&data)?;
                brought += data.len() as u64;
                if let Some(work) = &work {
                    work.at(part.length());
                }
            }
            Event::End => return Ok(true),
            Event::Broken(_) if brought > 0 && total.is_some() => return Ok(false),
            Event::Broken(error) => {
                return Err(match part.length() {
                    0 => error,
                    kept => error.context(format!("{kept} bytes are kept for the next try")),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known_by_its_address_alone() {
        for url in ["http://localhost/a", "http://127.0.0.1:8080", "http://me:x@[::1]:80/a?b#c"] {
            assert!(is_here(url), "{url}");
        }
        for url in
            ["http://127.0.0.1:80@example.org/a", "http://localhost.example.org/", "http:///", "a"]
        {
            assert!(!is_here(url), "{url}");
        }
    }

    #[test]
    fn what_may_be_a_secret_is_not_shown() {
        for (url, safe) in [
            (
                "https://me:canary@example.org/a.img?token=canary#canary",
                "https://example.org/a.img",
            ),
            ("https://example.org?canary", "https://example.org"),
            ("raspios-lite-arm64@bookworm", "raspios-lite-arm64@bookworm"),
        ] {
            assert_eq!(shown(url), safe);
        }
    }
}
