//! Certificates and keys from their files, and what they make together: a TLS configuration.
//!
//! The only place that builds one. The provider is named, never the process's default, which a single
//! dependency could change.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore};

use crate::fault::Fault;
use crate::x509::Validity;

/// The device's own certificate chain and key, which belong together.
#[derive(Debug)]
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// Reads chain and key.
    pub fn read(certificate: &Path, private_key: &Path) -> Result<Self, Fault> {
        let chain = certificates(certificate)?;
        let key = key(private_key)?;
        let provider = rustls::crypto::ring::default_provider();
        match CertifiedKey::from_der(chain.clone(), key.clone_key(), &provider) {
            Ok(_) => Ok(Self { chain, key }),
            Err(rustls::Error::InconsistentKeys(_)) => Err(Fault::profile(format!(
                "the certificate {} and the private key {} do not belong together",
                certificate.display(),
                private_key.display()
            ))
            .hint("take both from the same download or the same `openssl req`")),
            Err(error) => Err(Fault::profile(format!(
                "the private key {} cannot be used: {error}",
                private_key.display()
            ))
            .hint("keys are ECDSA P-256 or P-384, Ed25519 or RSA of 2048 bits or more")),
        }
    }

    /// When the device's own certificate is valid.
    pub fn validity(&self) -> Option<Validity> {
        Validity::of(self.chain.first()?)
    }
}

/// Which of the public authorities a server's certificate may be from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Roots {
    /// All that browsers trust.
    Public,
    /// Those of these names (their common names): a cloud's own.
    Named(&'static [&'static str]),
}

/// Who vouches for the server.
#[derive(Clone, Copy, Debug)]
pub enum Trust<'a> {
    /// These authorities and nobody else.
    These(&'a [CertificateDer<'static>]),
    /// Public ones.
    Roots(Roots),
}

/// A configuration that trusts some authorities and has an identity to show.
pub fn client_config(
    trust: Trust<'_>,
    identity: Option<Identity>,
) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(store(trust)?);
    match identity {
        Some(identity) => builder.with_client_auth_cert(identity.chain, identity.key),
        None => Ok(builder.with_no_client_auth()),
    }
}

fn store(trust: Trust<'_>) -> Result<RootCertStore, rustls::Error> {
    let mut store = RootCertStore::empty();
    let public = webpki_roots::TLS_SERVER_ROOTS.iter().cloned();
    match trust {
        Trust::These(authorities) => {
            for authority in authorities {
                store.add(authority.clone())?;
            }
        }
        Trust::Roots(Roots::Public) => store.extend(public),
        Trust::Roots(Roots::Named(names)) => {
            store.extend(
                public.filter(|root| {
                    names.iter().any(|name| contains(&root.subject, name.as_bytes()))
                }),
            );
        }
    }
    Ok(store)
}

/// The certificates in a file, PEM or DER.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let bytes = read(path)?;
    let certificates = if is_pem(&bytes) {
        CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>().ok()
    } else {
        Some(vec![CertificateDer::from(bytes)])
    };
    match certificates {
        Some(certificates) if !certificates.is_empty() && all_certificates(&certificates) => {
            Ok(certificates)
        }
        _ => Err(Fault::profile(format!("{} holds no certificate", path.display()))
            .hint("a certificate begins with `-----BEGIN CERTIFICATE-----`")),
    }
}

fn all_certificates(certificates: &[CertificateDer<'static>]) -> bool {
    certificates.iter().all(|certificate| Validity::of(certificate).is_some())
}

/// The private key in a file, PEM or DER.
pub fn key(path: &Path) -> Result<PrivateKeyDer<'static>, Fault> {
    let bytes = read(path)?;
    let refused = |reason: &str| Fault::profile(format!("{} {reason}", path.display()));
    if !is_pem(&bytes) {
        return PrivateKeyDer::try_from(bytes).map_err(|_| refused("holds no private key"));
    }
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| match error {
        pem::Error::NoItemsFound if contains(&bytes, b"ENCRYPTED") => {
            refused("holds an encrypted key, which the device cannot open")
                .hint("decrypt it: `openssl pkey -in KEY -out PLAIN`")
        }
        _ => {
            refused("holds no private key").hint("a key begins with `-----BEGIN PRIVATE KEY-----`")
        }
    })
}

fn is_pem(bytes: &[u8]) -> bool {
    contains(bytes, b"-----BEGIN ")
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

/// A file that the profile names.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    std::fs::read(path).map_err(|error| {
        let fault = Fault::profile(format!("reading {}: {error}", path.display()));
        match error.kind() {
            std::io::ErrorKind::PermissionDenied => {
                fault.hint("it should belong to the user that the agent runs as")
            }
            _ => fault.hint("the profile names it; build the card again"),
        }
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    struct Files {
        folder: tempfile::TempDir,
    }

    impl Files {
        fn new() -> Self {
            let files = Self { folder: tempfile::tempdir().unwrap() };
            for name in ["a", "b"] {
                let key = KeyPair::generate().unwrap();
                let certificate =
                    CertificateParams::new(["x".into()]).unwrap().self_signed(&key).unwrap();
                files.put(&format!("{name}.pem"), certificate.pem().as_bytes());
                files.put(&format!("{name}.der"), certificate.der());
                files.put(&format!("{name}.key"), key.serialize_pem().as_bytes());
            }
            files
        }

        fn put(&self, name: &str, bytes: &[u8]) {
            fs::write(self.folder.path().join(name), bytes).unwrap();
        }

        fn identity(&self, certificate: &str, key: &str) -> Result<Identity, String> {
            let path = |name| self.folder.path().join(name);
            Identity::read(&path(certificate), &path(key)).map_err(|fault| fault.to_string())
        }
    }

    #[test]
    fn a_certificate_and_its_key_are_an_identity() {
        let files = Files::new();
        for certificate in ["a.pem", "a.der"] {
            let identity = files.identity(certificate, "a.key").unwrap();
            assert!(identity.validity().is_some());
            assert!(client_config(Trust::Roots(Roots::Public), Some(identity)).is_ok());
        }
    }

    #[test]
    fn a_cloud_whose_authorities_are_named_has_no_others() {
        let names = &["Amazon Root CA 1", "Amazon Root CA 3"];
        let named = store(Trust::Roots(Roots::Named(names))).unwrap();
        let public = store(Trust::Roots(Roots::Public)).unwrap();
        assert_eq!(named.len(), names.len());
        assert!(public.len() > 100, "{}", public.len());
    }

    #[test]
    fn what_is_none_is_refused_with_the_way_out() {
        let files = Files::new();
        files.put("text", b"hello");
        files.put(
            "locked.key",
            b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
        );
        for (certificate, key, reason) in [
            ("a.pem", "b.key", "do not belong together"),
            ("none", "a.key", "No such file or directory"),
            ("text", "a.key", "text holds no certificate"),
            ("a.key", "a.key", "a.key holds no certificate"),
            ("a.pem", "text", "text holds no private key"),
            ("a.pem", "a.pem", "a.pem holds no private key"),
            ("a.pem", "locked.key", "holds an encrypted key"),
        ] {
            let refusal = files.identity(certificate, key).unwrap_err();
            assert!(refusal.contains(reason), "{certificate} {key}: {refusal}");
        }
    }
}
