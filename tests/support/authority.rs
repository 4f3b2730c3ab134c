//! A certificate authority that lives as long as its test.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

/// Signs certificates.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    der: Vec<u8>,
}

/// A certificate and its key, in PEM.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// When a certificate is valid.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Valid {
    /// From 2020 to 2049.
    Now,
    /// Until 2021-01-01.
    Expired,
    /// From 2048-01-01.
    NotYet,
}

impl Pair {
    /// The certificate in DER.
    pub(crate) fn der(&self) -> Vec<u8> {
        let body: String = self.certificate.lines().filter(|line| !line.starts_with('-')).collect();
        STANDARD.decode(body).unwrap()
    }
}

impl Authority {
    /// A new authority.
    pub(crate) fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).unwrap();
        let (pem, der) = (certificate.pem(), certificate.der().to_vec());
        Self { issuer: Issuer::new(params, key), pem, der }
    }

    /// Its own certificate, in PEM.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// Its own certificate, in DER.
    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }

    /// A certificate for a server that bears some names or addresses.
    pub(crate) fn server(&self, names: &[&str], valid: Valid) -> Pair {
        self.sign(names, "server", ExtendedKeyUsagePurpose::ServerAuth, valid)
    }

    /// A certificate for a client.
    pub(crate) fn client(&self, name: &str, valid: Valid) -> Pair {
        self.sign(&[], name, ExtendedKeyUsagePurpose::ClientAuth, valid)
    }

    fn sign(
        &self,
        names: &[&str],
        common: &str,
        usage: ExtendedKeyUsagePurpose,
        valid: Valid,
    ) -> Pair {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, common);
        params.extended_key_usages = vec![usage];
        (params.not_before, params.not_after) = match valid {
            Valid::Now => (date_time_ymd(2020, 1, 1), date_time_ymd(2049, 1, 1)),
            Valid::Expired => (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1)),
            Valid::NotYet => (date_time_ymd(2048, 1, 1), date_time_ymd(2049, 1, 1)),
        };
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Pair { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}
