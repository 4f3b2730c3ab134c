//! The TCP connection below an MQTT connection.

use std::io;
use std::time::Duration;

use tokio::net::TcpStream;

/// Tries each of a host's addresses in turn. None gets more than its share of the time, so that a broken
/// IPv6 does not keep a good IPv4 from being tried.
pub(super) async fn connect((host, port): (String, u16), limit: Duration) -> io::Result<TcpStream> {
    let lookup = tokio::net::lookup_host((host.as_str(), port)).await;
    let addresses = lookup.map(Iterator::collect::<Vec<_>>);
    let addresses = addresses.map_err(|error| io::Error::other(Unresolved(host, error)))?;
    let share = limit / u32::try_from(addresses.len().max(1)).unwrap_or(1);
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match tokio::time::timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return stream.set_nodelay(true).map(|()| stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(io::Error::other(Undialled(last)))
}

/// Carries a failed lookup through the library.
#[derive(Debug, thiserror::Error)]
#[error("looking up {0}")]
pub(super) struct Unresolved(pub(super) String, pub(super) io::Error);

/// Carries a failed connect through the library.
#[derive(Debug, thiserror::Error)]
#[error("connecting")]
pub(super) struct Undialled(pub(super) io::Error);
