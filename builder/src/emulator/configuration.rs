//! What the broker reads when it starts: its configuration and its certificate.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result};

use super::authority::Authority;
use super::broker::Setup;

/// Writes what the broker reads, and returns the authority of its certificate.
pub(super) fn write(
    setup: &Setup,
    address: SocketAddr,
    folder: &Path,
) -> Result<Option<Authority>> {
    let mut text = configuration(address, folder);
    let mut authority = None;
    if let Setup::Tls { host, clients } = setup {
        let ours = Authority::new()?;
        let server = ours.server(host)?;
        put(&folder.join("certificate"), &server.certificate)?;
        put(&folder.join("key"), &server.private_key)?;
        text += &secured(folder, clients.as_deref());
        authority = Some(ours);
    }
    put(&folder.join("conf"), &text)?;
    Ok(authority)
}

fn put(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

/// The listener for us, then the one for devices, so that what follows is about the latter.
fn configuration(address: SocketAddr, folder: &Path) -> String {
    let (folder, port, host) = (folder.display(), address.port(), address.ip());
    format!(
        "# made for one run\n\
         user root\n\
         persistence false\n\
         allow_anonymous true\n\
         max_queued_messages 0\n\
         log_dest stderr\n\
         log_type error\n\
         log_type warning\n\
         log_type notice\n\
         log_type information\n\
         listener 0 {folder}/socket\n\
         listener {port} {host}\n"
    )
}

fn secured(folder: &Path, clients: Option<&Path>) -> String {
    let folder = folder.display();
    let mut text = format!("certfile {folder}/certificate\nkeyfile {folder}/key\n");
    if let Some(clients) = clients {
        let _ = writeln!(text, "cafile {}\nrequire_certificate true", clients.display());
    }
    text
}
