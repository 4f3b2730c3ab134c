//! A certificate authority for one run: it vouches for the local broker, and is thrown away.

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};

/// An authority. Its certificate travels on the kernel's command line, so all in it is short.
#[derive(Debug)]
pub(super) struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate with its key, both PEM.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) certificate: String,
    pub(super) private_key: String,
}

impl Authority {
    pub(super) fn new() -> Result<Self> {
        let key = KeyPair::generate().context("making the trial authority's key")?;
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = named("t");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let certificate = parameters.self_signed(&key).context("making the trial authority")?;
        Ok(Self { certificate, issuer: Issuer::new(parameters, key) })
    }

    /// The authority's certificate, DER.
    pub(super) fn der(&self) -> &[u8] {
        self.certificate.der()
    }

    /// The authority's certificate, PEM.
    pub(super) fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// A certificate for a server of this name.
    pub(super) fn server(&self, host: &str) -> Result<Identity> {
        self.issue(host, ExtendedKeyUsagePurpose::ServerAuth)
    }

    fn issue(&self, name: &str, purpose: ExtendedKeyUsagePurpose) -> Result<Identity> {
        let key = KeyPair::generate().context("making a trial key")?;
        let mut parameters = CertificateParams::new(vec![name.to_owned()])
            .with_context(|| format!("making a certificate for {name}"))?;
        parameters.distinguished_name = named(name);
        parameters.extended_key_usages = vec![purpose];
        let certificate = parameters
            .signed_by(&key, &self.issuer)
            .with_context(|| format!("making a certificate for {name}"))?;
        Ok(Identity { certificate: certificate.pem(), private_key: key.serialize_pem() })
    }

    /// A certificate for a client of this name.
    #[cfg(test)]
    pub(super) fn client(&self, name: &str) -> Result<Identity> {
        self.issue(name, ExtendedKeyUsagePurpose::ClientAuth)
    }
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

#[cfg(test)]
mod tests {
    use super::super::redirect::Redirect;
    use super::*;

    #[test]
    fn the_authority_fits_on_the_shortest_command_line() {
        let authority = Authority::new().unwrap();
        let word = Redirect::new("10.0.2.2:65535").trusting(authority.der()).word();
        assert!(word.len() < 800, "{} bytes for {} of DER", word.len(), authority.der().len());
    }
}
