//! Reading a seal back: that it is one good signature, by the certificate in it, in the one form that we write.

use chrono::{DateTime, Utc};
use cms::{
    cert::CertificateChoices,
    content_info::ContentInfo,
    signed_data::{SignedData, SignerIdentifier, SignerInfo},
};
use const_oid::{
    ObjectIdentifier,
    db::{rfc5911, rfc5912},
};
use der::{Decode, Encode, asn1::OctetString};
use x509_cert::time::Time;

use super::{
    Certificate, Error,
    sign::{SIGNING_CERTIFICATE_V2, SigningCertificateV2, instant},
};
use crate::sha256::Digest;

/// Put before the certificate in `proof/signer.pem`.
const NOT_A_ROOT: &str = "\
The certificate that the seal says it was signed with, for convenience. It is NOT a trust root: whoever could replace
the seal could replace this file. Trust roots come from the force, by another way.
";

/// A seal whose signature is good. By whom: see [`super::Roots`]. Over what: see [`CheckedSeal::is_over`].
#[derive(Debug, Clone)]
pub struct CheckedSeal {
    signer: Certificate,
    intermediates: Vec<Certificate>,
    signing_time: DateTime<Utc>,
    message_digest: Digest,
}

impl CheckedSeal {
    /// Reads a seal and checks its signature against the certificate in it.
    ///
    /// # Errors
    /// [`Error::BadSeal`] says what is wrong with it.
    pub fn open(seal: &[u8]) -> Result<Self, Error> {
        let bad = |what: &str| Error::BadSeal(what.to_owned());
        let malformed = |_| bad("not a CMS signature in DER");
        let content = ContentInfo::from_der(seal).map_err(malformed)?;
        if content.content_type != rfc5911::ID_SIGNED_DATA {
            return Err(bad("a CMS message, but not a signature"));
        }
        let signed: SignedData = content.content.decode_as().map_err(malformed)?;
        let again = ContentInfo {
            content_type: content.content_type,
            content: der::Any::encode_from(&signed).map_err(malformed)?,
        };
        if again.to_der().map_err(malformed)? != seal {
            return Err(bad("not in the one encoding that DER allows"));
        }
        if signed.encap_content_info.econtent.is_some() || signed.encap_content_info.econtent_type != rfc5911::ID_DATA {
            return Err(bad("not a detached signature over plain data"));
        }
        let [signer] = signed.signer_infos.0.as_slice() else {
            return Err(bad("not exactly one signature"));
        };
        let mut certificates = Vec::new();
        for choice in signed.certificates.iter().flat_map(|set| set.0.iter()) {
            let CertificateChoices::Certificate(certificate) = choice else {
                return Err(bad("a certificate of an unknown kind"));
            };
            certificates.push(Certificate::from_der(&certificate.to_der().map_err(malformed)?)?);
        }
        let place = certificates.iter().position(|c| names(&signer.sid, c));
        let certificate = certificates.remove(place.ok_or_else(|| bad("the signer's certificate is not in it"))?);
        Self::check(signer, certificate, certificates)
    }

    fn check(info: &SignerInfo, signer: Certificate, intermediates: Vec<Certificate>) -> Result<Self, Error> {
        let bad = |what: &str| Error::BadSeal(what.to_owned());
        let malformed = |_| bad("a signed attribute is malformed");
        if info.digest_alg.oid != rfc5912::ID_SHA_256 || info.signature_algorithm.oid != rfc5912::ECDSA_WITH_SHA_256 {
            return Err(bad("not ECDSA over SHA-256"));
        }
        if info.unsigned_attrs.is_some() {
            return Err(bad("it carries attributes that nobody signed"));
        }
        let attributes = info.signed_attrs.as_ref().ok_or_else(|| bad("no signed attributes"))?;
        if !signer.made(&attributes.to_der().map_err(malformed)?, info.signature.as_bytes()) {
            return Err(bad("the signature is not by the certificate in it"));
        }
        if attributes.len() != 4 {
            return Err(bad("not exactly the four signed attributes of this format"));
        }
        let value = |oid: ObjectIdentifier| {
            let attribute = attributes.iter().find(|a| a.oid == oid);
            let values = attribute.map(|a| a.values.as_slice());
            let Some([value]) = values else { return Err(bad("a signed attribute is absent or repeated")) };
            Ok(value)
        };
        let content_type: ObjectIdentifier = value(rfc5911::ID_CONTENT_TYPE)?.decode_as().map_err(malformed)?;
        let digest: OctetString = value(rfc5911::ID_MESSAGE_DIGEST)?.decode_as().map_err(malformed)?;
        let time = Time::from_der(&value(rfc5911::ID_SIGNING_TIME)?.to_der().map_err(malformed)?).map_err(malformed)?;
        let ess: SigningCertificateV2 = value(SIGNING_CERTIFICATE_V2)?.decode_as().map_err(malformed)?;
        let named = ess.certificates.first().map(|c| c.hash.as_bytes());
        if content_type != rfc5911::ID_DATA || named != Some(&signer.sha256().as_bytes()[..]) {
            return Err(bad("the certificate in it is not the one that was signed with"));
        }
        let message_digest = Digest::try_from(digest.as_bytes()).map_err(|_| bad("its digest is not SHA-256"))?;
        Ok(Self { signer, intermediates, signing_time: instant(time), message_digest })
    }

    /// Whether these bytes are what was signed.
    #[must_use]
    pub fn is_over(&self, content: &[u8]) -> bool {
        Digest::of(content) == self.message_digest
    }

    /// As [`CheckedSeal::is_over`], for `?`.
    ///
    /// # Errors
    /// [`Error::OtherContent`].
    pub fn require_over(&self, content: &[u8]) -> Result<(), Error> {
        if self.is_over(content) { Ok(()) } else { Err(Error::OtherContent) }
    }

    /// The certificate that signed.
    #[must_use]
    pub fn signer(&self) -> &Certificate {
        &self.signer
    }

    /// Other certificates in the seal: a way to a root, perhaps.
    #[must_use]
    pub fn intermediates(&self) -> &[Certificate] {
        &self.intermediates
    }

    /// When the signer says it signed. Its own word, until a timestamp says so.
    #[must_use]
    pub fn signing_time(&self) -> DateTime<Utc> {
        self.signing_time
    }

    /// The signer's certificate as the package shows it.
    pub(crate) fn signer_pem(&self) -> Result<String, Error> {
        Ok(format!("{NOT_A_ROOT}{}", self.signer.to_pem()?))
    }
}

fn names(sid: &SignerIdentifier, certificate: &Certificate) -> bool {
    let tbs = &certificate.parsed.tbs_certificate;
    match sid {
        SignerIdentifier::IssuerAndSerialNumber(id) => id.issuer == tbs.issuer && id.serial_number == tbs.serial_number,
        SignerIdentifier::SubjectKeyIdentifier(_) => false,
    }
}
