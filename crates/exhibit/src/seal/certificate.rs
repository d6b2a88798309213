//! X.509 certificates, as far as seals need them: names, validity, what they may do, and who issued whom.

use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, Utc};
use const_oid::ObjectIdentifier;
use der::{Decode, Encode, EncodePem, Reader, SliceReader, pem::LineEnding};
use ring::signature::{self as algorithms, UnparsedPublicKey, VerificationAlgorithm};
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage};

use super::Error;
use crate::sha256::Digest;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

const ECDSA_SHA256: &str = "1.2.840.10045.4.3.2";
const P256: &str = "1.2.840.10045.3.1.7";

/// Extensions that are understood here, or may be marked critical without changing what we decide.
const UNDERSTOOD: [&str; 5] = ["2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.32", "2.5.29.37"];

/// Uses that a signer's certificate may be limited to: e-mail protection (OpenSSL's default purpose), document signing, any.
const SIGNING_USES: [&str; 3] = ["1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.36", "2.5.29.37.0"];

/// A certificate, with the exact bytes that its issuer signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    tbs: Vec<u8>,
    pub(crate) parsed: x509_cert::Certificate,
}

impl Certificate {
    /// Reads one from DER.
    ///
    /// # Errors
    /// [`Error::Certificate`].
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        let malformed = |_| Error::Certificate("not X.509 in DER");
        let parsed = x509_cert::Certificate::from_der(der).map_err(malformed)?;
        let mut reader = SliceReader::new(der).map_err(malformed)?;
        let tbs = reader
            .sequence(|inner| {
                let tbs = inner.tlv_bytes()?.to_vec();
                inner.read_slice(inner.remaining_len())?;
                Ok(tbs)
            })
            .map_err(malformed)?;
        Ok(Self { der: der.to_vec(), tbs, parsed })
    }

    /// Reads every certificate of a PEM file; text around them is a comment.
    ///
    /// # Errors
    /// [`Error::Certificate`] for the first that can't be read, [`Error::NoCertificate`] if there is none.
    pub fn all_from_pem(pem: &str) -> Result<Vec<Self>, Error> {
        let mut certificates = Vec::new();
        for after_begin in pem.split(BEGIN).skip(1) {
            let (body, _) = after_begin.split_once(END).ok_or(Error::Certificate("PEM without an end line"))?;
            let base64: String = body.split_ascii_whitespace().collect();
            let der = BASE64_STANDARD.decode(base64).map_err(|_| Error::Certificate("PEM is not base64"))?;
            certificates.push(Self::from_der(&der)?);
        }
        if certificates.is_empty() { Err(Error::NoCertificate) } else { Ok(certificates) }
    }

    /// As PEM, one spelling.
    ///
    /// # Errors
    /// [`Error::Encoding`].
    pub fn to_pem(&self) -> Result<String, Error> {
        self.parsed.to_pem(LineEnding::LF).map_err(|_| Error::Encoding("certificate"))
    }

    /// The exact bytes.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 of the exact bytes: what people compare as "the fingerprint".
    #[must_use]
    pub fn sha256(&self) -> Digest {
        Digest::of(&self.der)
    }

    /// Whom it names, as RFC 4514 text.
    #[must_use]
    pub fn subject(&self) -> String {
        self.parsed.tbs_certificate.subject.to_string()
    }

    /// From when until when it holds.
    #[must_use]
    pub fn validity(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        let validity = &self.parsed.tbs_certificate.validity;
        (super::sign::instant(validity.not_before), super::sign::instant(validity.not_after))
    }

    pub(crate) fn valid_at(&self, at: DateTime<Utc>) -> Result<(), Error> {
        let (from, until) = self.validity();
        if (from..=until).contains(&at) {
            return Ok(());
        }
        Err(Error::NotValidThen { from: from.to_string(), until: until.to_string() })
    }

    /// Whether this certificate's key made an ECDSA P-256 signature: the only kind that a seal may have.
    pub(super) fn made(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verifies(ECDSA_SHA256, Some(P256), message, signature)
    }

    /// Whether this certificate is named as the issuer of the other, and its key did sign it.
    pub(super) fn issued(&self, other: &Self) -> bool {
        let signature = &other.parsed.signature;
        self.parsed.tbs_certificate.subject == other.parsed.tbs_certificate.issuer
            && other.parsed.signature_algorithm == other.parsed.tbs_certificate.signature
            && self.verifies(&other.parsed.signature_algorithm.oid.to_string(), None, &other.tbs, signature.raw_bytes())
    }

    /// Whether its key made this signature by the algorithm of that OID, on that curve if one is demanded.
    pub(crate) fn verifies(&self, algorithm: &str, only_curve: Option<&str>, message: &[u8], signature: &[u8]) -> bool {
        let key = &self.parsed.tbs_certificate.subject_public_key_info;
        let curve = key.algorithm.parameters.as_ref().and_then(|p| p.decode_as::<ObjectIdentifier>().ok());
        let curve = curve.map(|oid| oid.to_string()).unwrap_or_default();
        if only_curve.is_some_and(|only| only != curve) {
            return false;
        }
        let algorithm: &'static dyn VerificationAlgorithm = match (algorithm, curve.as_str()) {
            (ECDSA_SHA256, P256) => &algorithms::ECDSA_P256_SHA256_ASN1,
            (ECDSA_SHA256, "1.3.132.0.34") => &algorithms::ECDSA_P384_SHA256_ASN1,
            ("1.2.840.10045.4.3.3", P256) => &algorithms::ECDSA_P256_SHA384_ASN1,
            ("1.2.840.10045.4.3.3", "1.3.132.0.34") => &algorithms::ECDSA_P384_SHA384_ASN1,
            ("1.2.840.113549.1.1.11", _) => &algorithms::RSA_PKCS1_2048_8192_SHA256,
            ("1.2.840.113549.1.1.12", _) => &algorithms::RSA_PKCS1_2048_8192_SHA384,
            ("1.2.840.113549.1.1.13", _) => &algorithms::RSA_PKCS1_2048_8192_SHA512,
            ("1.3.101.112", _) => &algorithms::ED25519,
            _ => return false,
        };
        UnparsedPublicKey::new(algorithm, key.subject_public_key.raw_bytes()).verify(message, signature).is_ok()
    }

    /// A limit in it that this verifier doesn't understand, which it must then respect by refusing (RFC 5280 section 4.2).
    pub(super) fn unknown_critical(&self) -> Option<String> {
        let extensions = self.parsed.tbs_certificate.extensions.iter().flatten();
        let mut names = extensions.filter(|e| e.critical).map(|e| e.extn_id.to_string());
        names.find(|name| !UNDERSTOOD.contains(&name.as_str()))
    }

    /// Whether it may issue certificates, with at most so many intermediates below it.
    pub(super) fn may_issue(&self, intermediates_below: usize) -> bool {
        let fits = |most: Option<u8>| most.is_none_or(|most| intermediates_below <= usize::from(most));
        self.extension("2.5.29.19", false, |c: BasicConstraints| c.ca && fits(c.path_len_constraint))
            && self.extension("2.5.29.15", true, |usage: KeyUsage| usage.key_cert_sign())
    }

    /// Whether it may sign documents.
    pub(super) fn may_sign(&self) -> bool {
        let known = |uses: ExtendedKeyUsage| uses.0.iter().any(|oid| SIGNING_USES.contains(&oid.to_string().as_str()));
        self.extension("2.5.29.15", true, |usage: KeyUsage| usage.digital_signature() || usage.non_repudiation())
            && self.extension("2.5.29.37", true, known)
    }

    /// Whether it is for timestamps and nothing else, critically so (RFC 3161 section 2.3).
    pub(crate) fn may_timestamp(&self) -> bool {
        let mut extensions = self.parsed.tbs_certificate.extensions.iter().flatten();
        let alone = |uses: ExtendedKeyUsage| uses.0[..] == [const_oid::db::rfc5280::ID_KP_TIME_STAMPING];
        extensions.any(|e| e.critical && e.extn_id.to_string() == "2.5.29.37")
            && self.extension("2.5.29.37", false, alone)
            && self.extension("2.5.29.15", true, |usage: KeyUsage| usage.digital_signature() || usage.non_repudiation())
    }

    /// What an extension allows; `absent` is the answer where there is none. A malformed or repeated one allows nothing.
    pub(crate) fn extension<T: for<'a> Decode<'a>>(&self, oid: &str, absent: bool, allows: impl Fn(T) -> bool) -> bool {
        let extensions = self.parsed.tbs_certificate.extensions.iter().flatten();
        let named: Vec<_> = extensions.filter(|e| e.extn_id.to_string() == oid).collect();
        match named[..] {
            [] => absent,
            [only] => T::from_der(only.extn_value.as_bytes()).is_ok_and(allows),
            _ => false,
        }
    }

    pub(super) fn public_key(&self) -> Result<Vec<u8>, Error> {
        self.parsed.tbs_certificate.subject_public_key_info.to_der().map_err(|_| Error::Encoding("public key"))
    }
}
