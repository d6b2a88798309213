//! A signing identity for development and tests: a small CA and a signer under it. Its names say that it is not for evidence.

use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use der::{EncodePem, pem::LineEnding};
use p256::{
    SecretKey,
    ecdsa::{DerSignature, SigningKey},
    pkcs8::{EncodePrivateKey, EncodePublicKey},
};
use spki::SubjectPublicKeyInfoOwned;
use x509_cert::{
    builder::{Builder, CertificateBuilder, Profile},
    name::Name,
    serial_number::SerialNumber,
    time::Validity,
};

use super::{Error, sign};
use crate::sha256::Hasher;

/// Everything that a signer and a verifier need, as PEM. No `Debug`: it holds a private key.
pub struct DevIdentity {
    /// The CA's certificate: the trust root to give to the verifier.
    pub roots_pem: String,
    /// The signer's certificate.
    pub certificate_pem: String,
    /// The signer's private key, PKCS#8.
    pub key_pem: String,
}

impl DevIdentity {
    /// Makes one from 32 random bytes, valid for two years around `now`. The same arguments give the same identity.
    ///
    /// # Errors
    /// [`Error::Encoding`], never in practice.
    pub fn make(entropy: [u8; 32], now: DateTime<Utc>) -> Result<Self, Error> {
        Self::try_make(entropy, now).ok_or(Error::Encoding("development identity"))
    }

    fn try_make(entropy: [u8; 32], now: DateTime<Utc>) -> Option<Self> {
        let (ca_key, signer_key) = (key(entropy, b"ca")?, key(entropy, b"signer")?);
        let ca_name = Name::from_str("CN=Alcove development CA - not for evidence").ok()?;
        let signer_name = Name::from_str("CN=Alcove development signer - not for evidence").ok()?;
        let ca = SigningKey::from(&ca_key);
        let certify = |profile, subject, key: &SecretKey, serial: u8| {
            let validity = Validity {
                not_before: sign::time(now - TimeDelta::days(1)).ok()?,
                not_after: sign::time(now + TimeDelta::days(730)).ok()?,
            };
            let public = key.public_key().to_public_key_der().ok()?;
            let public = SubjectPublicKeyInfoOwned::try_from(public.as_bytes()).ok()?;
            let serial = SerialNumber::new(&[serial]).ok()?;
            let builder = CertificateBuilder::new(profile, serial, validity, subject, public, &ca).ok()?;
            builder.build::<DerSignature>().ok()?.to_pem(LineEnding::LF).ok()
        };
        let leaf =
            Profile::Leaf { issuer: ca_name.clone(), enable_key_agreement: false, enable_key_encipherment: false };
        Some(Self {
            roots_pem: certify(Profile::Root, ca_name, &ca_key, 1)?,
            certificate_pem: certify(leaf, signer_name, &signer_key, 2)?,
            key_pem: signer_key.to_pkcs8_pem(LineEnding::LF).ok()?.to_string(),
        })
    }
}

/// Not every 32 bytes are a P-256 key: try on, with a counter, until they are.
fn key(entropy: [u8; 32], role: &[u8]) -> Option<SecretKey> {
    (0..=u8::MAX).find_map(|attempt| {
        let mut hasher = Hasher::new();
        hasher.update(b"alcove development key v1\n");
        hasher.update(&entropy);
        hasher.update(&[attempt]);
        hasher.update(role);
        SecretKey::from_slice(hasher.finish().as_bytes()).ok()
    })
}
