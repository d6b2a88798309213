//! The seal: a detached CMS signature with the CAdES signed attributes (RFC 5652, RFC 5126), ECDSA P-256 over SHA-256.
//!
//! ECDSA, because OpenSSL 3.0 can't verify CMS with Ed25519, and anyone must be able to check a seal without us. The
//! RustCrypto crates used here are one generation back: they stay inside this module.

mod certificate;
mod check;
mod dev;
mod roots;
mod sign;

pub use certificate::Certificate;
pub use check::CheckedSeal;
pub use dev::DevIdentity;
pub use roots::Roots;
pub use sign::{External, Signer};

use crate::sha256::Digest;

/// What can be wrong with keys, certificates and seals.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The private key can't be read.
    #[error("not an unencrypted P-256 private key in PEM (PKCS#8 or SEC1)")]
    Key,
    /// The key is somewhere else, and can't be had or refuses.
    #[error("the external key can't sign")]
    External(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A certificate can't be read.
    #[error("not a certificate: {0}")]
    Certificate(&'static str),
    /// The PEM file has no certificate.
    #[error("no certificate in the file")]
    NoCertificate,
    /// The key is not the one in the certificate.
    #[error("the private key doesn't belong to the certificate")]
    KeyMismatch,
    /// Signing outside of the certificate's validity would make a seal that nobody accepts.
    #[error("the certificate is not valid at the signing time ({from} to {until})")]
    NotValidThen {
        /// Start of its validity.
        from: String,
        /// End of its validity.
        until: String,
    },
    /// The signature can't be put together.
    #[error("can't encode: {0}")]
    Encoding(&'static str),
    /// The seal is not a signature of this format, or not a good one.
    #[error("{0}")]
    BadSeal(String),
    /// The seal is good; what it signed is something else.
    #[error("the content is not what was signed")]
    OtherContent,
    /// The certificate doesn't lead to a trust root.
    #[error("{0}")]
    Untrusted(String),
}

/// The seal's own digest: what goes into the incident, an event, and later the log.
#[must_use]
pub fn seal_sha256(seal: &[u8]) -> Digest {
    Digest::of(seal)
}
