//! Certificates and keys: whether they are what they should be, belong together, and hold today.
//!
//! Keys are read by rustls, which is what the agent uses them with; certificates by x509-parser.

use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

use crate::profile::{Connect, Source};
use crate::{Code, Problem, Sp, Span};

/// Whom a certificate may name.
#[derive(Clone, Copy)]
pub(super) enum Subject<'a> {
    /// Anybody: the broker knows what to make of it.
    Any,
    /// This name and no other.
    Named(&'a str),
    /// AWS looks at the certificate alone, and gives its own a name that is everybody's.
    Aws(&'a str),
}

/// A kind of key that tokens are signed with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyKind {
    /// On the curve P-256.
    P256,
    /// RSA.
    Rsa,
}

/// The authorities to trust: at least one, all of which hold today.
pub(super) fn authorities(source: Option<&Sp<Source>>, now: u64, problems: &mut Vec<Problem>) {
    let Some(source) = source else { return };
    match chain(source) {
        Ok(chain) => problems.extend(chain.iter().filter_map(|it| period(it, source, now))),
        Err(problem) => problems.push(problem),
    }
}

/// The authorities of a stand-in.
pub(super) fn connect(connect: Option<&Connect>, now: u64, problems: &mut Vec<Problem>) {
    authorities(connect.and_then(|connect| connect.ca.as_ref()), now, problems);
}

/// A device's certificate and its key: readable, valid today, a pair, and naming the device.
pub(super) fn identity(
    certificate: Option<&Sp<Source>>,
    private_key: Option<&Sp<Source>>,
    subject: Subject<'_>,
    now: u64,
    problems: &mut Vec<Problem>,
) {
    let chain = certificate.map(|source| chain(source).map(|chain| (source, chain)));
    let key = private_key.map(|source| key(source).map(|key| (source, key)));
    let chain = noted(chain, problems);
    let key = noted(key, problems);
    if let Some((source, chain)) = &chain
        && let Some(own) = chain.first()
    {
        problems.extend(period(own, source, now));
        problems.extend(name(own, source, subject));
    }
    if let (Some((certificate, chain)), Some((private_key, key))) = (chain, key)
        && CertifiedKey::new(chain, key).keys_match().is_err()
    {
        problems.push(
            Problem::new(
                Code::BadCertificate,
                private_key.span(),
                "this key does not belong to the certificate",
            )
            .label("belongs to another certificate")
            .related(certificate.span(), "is for another key")
            .help("take the two files that were made together"),
        );
    }
}

fn noted<T>(found: Option<Result<T, Problem>>, problems: &mut Vec<Problem>) -> Option<T> {
    match found? {
        Ok(found) => Some(found),
        Err(problem) => {
            problems.push(problem);
            None
        }
    }
}

/// A key that tokens are signed with.
pub(super) fn signing_key(
    source: &Sp<Source>,
    kind: KeyKind,
    algorithm: Option<Span>,
    help: &str,
    problems: &mut Vec<Problem>,
) {
    let key = match key(source) {
        Ok(key) => key,
        Err(problem) => return problems.push(problem),
    };
    let schemes = match kind {
        KeyKind::P256 => [SignatureScheme::ECDSA_NISTP256_SHA256],
        KeyKind::Rsa => [SignatureScheme::RSA_PKCS1_SHA256],
    };
    if key.choose_scheme(&schemes).is_none() {
        let wanted = match kind {
            KeyKind::P256 => "`es256` takes a key on the curve P-256",
            KeyKind::Rsa => "`rs256` takes an RSA key",
        };
        problems.push(
            Problem::new(Code::BadCertificate, source.span(), wanted)
                .label("is another kind of key")
                .related(algorithm, "asks for it")
                .help(help),
        );
    }
}

/// The certificates in a source, at least one.
fn chain(source: &Sp<Source>) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let text = source.text.expose();
    let refuse = |message: &str| {
        Problem::new(Code::BadCertificate, source.span(), message)
            .label("should be a certificate in PEM form")
            .help("such a file begins with `-----BEGIN CERTIFICATE-----`")
    };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    let chain = chain.map_err(|_| refuse("the certificate in it is damaged"))?;
    if chain.is_empty() {
        return Err(refuse("there is no certificate in it"));
    }
    if !chain.iter().all(|it| X509Certificate::from_der(it).is_ok()) {
        return Err(refuse("the certificate in it is damaged"));
    }
    Ok(chain)
}

/// The private key in a source.
fn key(source: &Sp<Source>) -> Result<std::sync::Arc<dyn SigningKey>, Problem> {
    let text = source.text.expose();
    let refuse = |message: &str, help: &str| {
        Problem::new(Code::BadCertificate, source.span(), message)
            .label("should be a private key in PEM form")
            .help(help)
    };
    if text.contains("ENCRYPTED") {
        return Err(refuse(
            "the private key in it has a passphrase, which nobody is there to type",
            "take the passphrase off with `openssl pkey -in KEY -out KEY`",
        ));
    }
    let key = PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| {
        refuse(
            "there is no private key in it",
            "such a file begins with `-----BEGIN PRIVATE KEY-----`; one with a passphrase cannot be used",
        )
    })?;
    any_supported_type(&key).map_err(|_| {
        refuse(
            "the private key in it cannot be used",
            "keys are RSA from 2048 bits, on the curves P-256 and P-384, or Ed25519",
        )
    })
}

/// Does the certificate hold at this time?
fn period(certificate: &CertificateDer<'_>, source: &Sp<Source>, now: u64) -> Option<Problem> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let validity = certificate.validity();
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    let (message, label) = if validity.not_after.timestamp() < now {
        (format!("the certificate expired on {}", day(validity.not_after)), "holds no more")
    } else if validity.not_before.timestamp() > now {
        (
            format!("the certificate holds from {} only", day(validity.not_before)),
            "does not hold yet",
        )
    } else {
        return None;
    };
    Some(
        Problem::new(Code::BadCertificate, source.span(), message)
            .label(label)
            .help("have a new one made; if this machine's clock is wrong, set it first"),
    )
}

/// A time's date.
fn day(time: ASN1Time) -> String {
    time.to_datetime().date().to_string()
}

/// Does the certificate name the device that it is for?
fn name(
    certificate: &CertificateDer<'_>,
    source: &Sp<Source>,
    subject: Subject<'_>,
) -> Option<Problem> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let named = certificate.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
    let named = named.unwrap_or_default();
    let (code, wanted) = match subject {
        Subject::Named(id) if named != id => (Code::BadCertificate, id),
        Subject::Aws(thing) if !["", "AWS IoT Certificate", thing].contains(&named) => {
            (Code::Doubtful, thing)
        }
        _ => return None,
    };
    Some(
        Problem::new(code, source.span(), format!("the certificate is for `{named}`"))
            .label(format!("should be for `{wanted}`"))
            .help("take this device's own certificate"),
    )
}
