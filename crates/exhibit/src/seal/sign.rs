//! Making a seal. The SignedData is put together by hand: about as long as calling the builder, without its dependencies.

use chrono::{DateTime, Utc};
use cms::{
    cert::{CertificateChoices, IssuerAndSerialNumber},
    content_info::{CmsVersion, ContentInfo},
    signed_data::{CertificateSet, EncapsulatedContentInfo, SignedData, SignerIdentifier, SignerInfo, SignerInfos},
};
use const_oid::{
    ObjectIdentifier,
    db::{rfc5911, rfc5912},
};
use der::{
    Any, DateTime as DerTime, Encode, Sequence, Tag, Tagged,
    asn1::{GeneralizedTime, OctetString, SetOfVec, UtcTime},
};
use p256::{
    SecretKey,
    ecdsa::{DerSignature, Signature, SigningKey, signature::Signer as _},
    pkcs8::{DecodePrivateKey, EncodePublicKey},
};
use spki::AlgorithmIdentifierOwned;
use x509_cert::{attr::Attribute, time::Time};

use super::{Certificate, CheckedSeal, Error};
use crate::sha256::Digest;

/// Signs a SHA-256 with ECDSA P-256 somewhere else, an HSM say: gives r and s, 32 bytes each.
pub type External =
    Box<dyn Fn(Digest) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> + Send + Sync + 'static>;

enum Key {
    Held(SigningKey),
    External(External),
}

/// A key that signs exhibits, with its certificate. `Debug` shows the certificate's name, never the key.
pub struct Signer {
    key: Key,
    certificate: Certificate,
    intermediates: Vec<Certificate>,
}

/// RFC 5035, with the default hash (SHA-256) left out as DER wants, and one certificate named.
#[derive(Sequence)]
pub(super) struct SigningCertificateV2 {
    pub certificates: Vec<EssCertIdV2>,
}

#[derive(Sequence)]
pub(super) struct EssCertIdV2 {
    pub hash: OctetString,
}

impl Signer {
    /// Takes a private key (PKCS#8 or SEC1) and its certificate, which intermediates may follow.
    ///
    /// # Errors
    /// If either can't be read, they don't belong together, or the certificate may not sign.
    pub fn from_pem(key_pem: &str, certificates_pem: &str) -> Result<Self, Error> {
        let secret = SecretKey::from_pkcs8_pem(key_pem).or_else(|_| sec1(key_pem))?;
        let public = secret.public_key().to_public_key_der().map_err(|_| Error::Key)?;
        let signer = Self::with(Key::Held(secret.into()), certificates_pem)?;
        if signer.certificate.public_key()? != public.as_bytes() {
            return Err(Error::KeyMismatch);
        }
        signer.may_sign()
    }

    /// Takes the certificate of a key that is somewhere else, which intermediates may follow, and tries it at once.
    ///
    /// # Errors
    /// If the certificate can't be read or may not sign, the key is away, or it isn't the certificate's.
    pub fn external(certificates_pem: &str, key: External) -> Result<Self, Error> {
        let signer = Self::with(Key::External(key), certificates_pem)?.may_sign()?;
        let trial = b"a trial, not a seal";
        let seal = signer.encode(trial, DateTime::UNIX_EPOCH)?;
        CheckedSeal::open(&seal).and_then(|seal| seal.require_over(trial)).map_err(|_| Error::KeyMismatch)?;
        Ok(signer)
    }

    fn with(key: Key, certificates_pem: &str) -> Result<Self, Error> {
        let mut certificates = Certificate::all_from_pem(certificates_pem)?;
        let certificate = certificates.remove(0);
        Ok(Self { key, certificate, intermediates: certificates })
    }

    fn may_sign(self) -> Result<Self, Error> {
        match self.certificate.may_sign() {
            true => Ok(self),
            false => Err(Error::Certificate("its key usage doesn't allow signing documents")),
        }
    }

    /// The certificate that goes with every seal.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Signs the bytes of a bag's tagmanifest. The same content and time give the same seal (RFC 6979).
    ///
    /// # Errors
    /// If the certificate isn't valid at that time, or the seal doesn't verify.
    pub fn sign(&self, content: &[u8], signing_time: DateTime<Utc>) -> Result<Vec<u8>, Error> {
        self.certificate.valid_at(signing_time)?;
        let seal = self.encode(content, signing_time)?;
        // A key that isn't the certificate's, or a fault while computing, must show now and not in court.
        CheckedSeal::open(&seal)?.require_over(content)?;
        Ok(seal)
    }

    fn encode(&self, content: &[u8], signing_time: DateTime<Utc>) -> Result<Vec<u8>, Error> {
        let attributes = self.attributes(content, signing_time).map_err(|_| Error::Encoding("signature"))?;
        let input = attributes.to_der().map_err(|_| Error::Encoding("signature"))?;
        let signature: DerSignature = match &self.key {
            Key::Held(key) => key.sign(&input),
            Key::External(sign) => {
                let raw = sign(Digest::of(&input)).map_err(Error::External)?;
                Signature::from_slice(&raw).map_err(|_| Error::Encoding("external signature"))?.to_der()
            }
        };
        self.assemble(attributes, &signature).map_err(|_| Error::Encoding("signature"))
    }

    /// What the signature covers.
    fn attributes(&self, content: &[u8], signing_time: DateTime<Utc>) -> der::Result<SetOfVec<Attribute>> {
        let ess = SigningCertificateV2 {
            certificates: vec![EssCertIdV2 { hash: OctetString::new(&self.certificate.sha256().as_bytes()[..])? }],
        };
        SetOfVec::try_from(vec![
            attribute(rfc5911::ID_CONTENT_TYPE, &rfc5911::ID_DATA)?,
            attribute(rfc5911::ID_MESSAGE_DIGEST, &OctetString::new(&Digest::of(content).as_bytes()[..])?)?,
            attribute(rfc5911::ID_SIGNING_TIME, &time(signing_time)?)?,
            attribute(SIGNING_CERTIFICATE_V2, &ess)?,
        ])
    }

    fn assemble(&self, signed_attrs: SetOfVec<Attribute>, signature: &DerSignature) -> der::Result<Vec<u8>> {
        let sha256 = AlgorithmIdentifierOwned { oid: rfc5912::ID_SHA_256, parameters: None };
        let own = &self.certificate.parsed.tbs_certificate;
        let signer = SignerInfo {
            version: CmsVersion::V1,
            sid: SignerIdentifier::IssuerAndSerialNumber(IssuerAndSerialNumber {
                issuer: own.issuer.clone(),
                serial_number: own.serial_number.clone(),
            }),
            digest_alg: sha256.clone(),
            signed_attrs: Some(signed_attrs),
            signature_algorithm: AlgorithmIdentifierOwned { oid: rfc5912::ECDSA_WITH_SHA_256, parameters: None },
            signature: OctetString::new(signature.as_bytes())?,
            unsigned_attrs: None,
        };
        let certificates = [&self.certificate].into_iter().chain(&self.intermediates);
        let certificates: Vec<_> = certificates.map(|c| CertificateChoices::Certificate(c.parsed.clone())).collect();
        let signed = SignedData {
            version: CmsVersion::V1,
            digest_algorithms: SetOfVec::try_from(vec![sha256])?,
            encap_content_info: EncapsulatedContentInfo { econtent_type: rfc5911::ID_DATA, econtent: None },
            certificates: Some(CertificateSet(SetOfVec::try_from(certificates)?)),
            crls: None,
            signer_infos: SignerInfos(SetOfVec::try_from(vec![signer])?),
        };
        ContentInfo { content_type: rfc5911::ID_SIGNED_DATA, content: Any::encode_from(&signed)? }.to_der()
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("subject", &self.certificate.subject()).finish_non_exhaustive()
    }
}

/// Of RFC 5035.
pub(super) const SIGNING_CERTIFICATE_V2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");

fn attribute<T: Tagged + der::EncodeValue>(oid: ObjectIdentifier, value: &T) -> der::Result<Attribute> {
    Ok(Attribute { oid, values: SetOfVec::try_from(vec![Any::encode_from(value)?])? })
}

/// OpenSSL writes `EC PARAMETERS` before a SEC1 key.
fn sec1(pem: &str) -> Result<SecretKey, Error> {
    let start = pem.find("-----BEGIN EC PRIVATE KEY-----").ok_or(Error::Key)?;
    SecretKey::from_sec1_pem(&pem[start..]).map_err(|_| Error::Key)
}

/// RFC 5652 section 11.3: UTCTime until 2049, GeneralizedTime after. Whole seconds.
pub(super) fn time(at: DateTime<Utc>) -> der::Result<Time> {
    let seconds = u64::try_from(at.timestamp()).map_err(|_| Tag::UtcTime.value_error())?;
    let at = DerTime::from_unix_duration(std::time::Duration::from_secs(seconds))?;
    Ok(match UtcTime::from_date_time(at) {
        Ok(utc) => Time::UtcTime(utc),
        Err(_) => Time::GeneralTime(GeneralizedTime::from_date_time(at)),
    })
}

pub(super) fn instant(time: Time) -> DateTime<Utc> {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
    DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
