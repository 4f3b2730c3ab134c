//! The TLS side of a double.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use crate::support::authority::{Authority, Pair};

pub(crate) type Stream = StreamOwned<ServerConnection, TcpStream>;

/// Who may show a certificate, which this authority has signed.
#[derive(Clone, Copy)]
pub(crate) enum Clients<'a> {
    MustShow(&'a Authority),
    MayShow(&'a Authority),
}

/// A server with this certificate, which asks for one and knows these protocols (none: it does not ask).
pub(crate) fn config(own: &Pair, clients: Clients<'_>, alpn: &[&str]) -> Arc<ServerConfig> {
    let (Clients::MustShow(authority) | Clients::MayShow(authority)) = clients;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().to_vec().into()).unwrap();
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let verifier = match clients {
        Clients::MustShow(_) => verifier,
        Clients::MayShow(_) => verifier.allow_unauthenticated(),
    };
    let chain = CertificateDer::pem_slice_iter(own.certificate.as_bytes());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(
            chain.map(Result::unwrap).collect(),
            PrivateKeyDer::from_pem_slice(own.key.as_bytes()).unwrap(),
        )
        .unwrap();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}

/// Shakes hands.
pub(crate) fn accept(config: &Arc<ServerConfig>, mut socket: TcpStream) -> io::Result<Stream> {
    let mut connection = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut socket)?;
    }
    Ok(StreamOwned::new(connection, socket))
}
