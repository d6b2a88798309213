//! The token's CMS signature (RFC 5652 as RFC 3161 section 2.4.2 narrows it): by one signer, over signed attributes.
//!
//! Wider than that of a seal, which we make ourselves: authorities sign with RSA or ECDSA, and with SHA-256, 384 or 512.

use cms::{
    content_info::{CmsVersion, ContentInfo},
    signed_data::{SignerIdentifier, SignerInfo},
};
use const_oid::{
    ObjectIdentifier,
    db::{rfc5911, rfc5912},
};
use der::{Any, Decode, Encode, Tag, Tagged, asn1::OctetString};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512, digest};
use spki::AlgorithmIdentifierOwned;
use x509_cert::{attr::Attributes, ext::pkix::SubjectKeyIdentifier};

use super::{
    Error,
    asn1::{SignedData, SigningCertificate},
};
use crate::seal::Certificate;

/// `id-ct-TSTInfo` of RFC 3161.
const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");

/// A token whose signature is good by the certificate in it.
pub(super) struct SignedToken {
    /// What was signed: a `TSTInfo`.
    pub content: Vec<u8>,
    pub signer: Certificate,
    pub others: Vec<Certificate>,
}

impl SignedToken {
    pub(super) fn open(der: &[u8]) -> Result<Self, Error> {
        let malformed = |_| Error::Malformed("the token is not a CMS signature in DER");
        let message = ContentInfo::from_der(der).map_err(malformed)?;
        if message.content_type != rfc5911::ID_SIGNED_DATA {
            return Err(Error::Malformed("the token is a CMS message, but not a signature"));
        }
        let signed: SignedData = message.content.decode_as().map_err(malformed)?;
        if !(3..=5).contains(&signed.version) || signed.content.econtent_type != TST_INFO {
            return Err(Error::Malformed("the signature is not over a timestamp"));
        }
        let content = signed.content.econtent.ok_or(Error::Malformed("the timestamp is not in the token"))?;
        // Not `.value()`, which would hide that something else than an octet string was signed.
        let content = content.decode_as::<OctetString>().map_err(malformed)?.into_bytes();
        let [info] = signed.signers.as_slice() else {
            return Err(Error::BadSignature("not exactly one signature"));
        };
        if !signed.digest_algorithms.iter().any(|a| a.oid == info.digest_alg.oid)
            || !signed.digest_algorithms.iter().all(no_parameters)
        {
            return Err(Error::BadSignature("its digest is not the one announced"));
        }
        let mut others = certificates(signed.certificates.iter().flat_map(|set| set.iter()))?;
        let place = others.iter().position(|c| identifies(&info.sid, c));
        let signer = others.remove(place.ok_or(Error::BadSignature("the signer's certificate is not in it"))?);
        check(info, &content, &signer)?;
        if !signer.may_timestamp() {
            return Err(Error::NotForTimestamps(signer.subject()));
        }
        Ok(Self { content, signer, others })
    }
}

/// Certificates in other forms than X.509 are passed over: they can't be the signer's.
fn certificates<'a>(set: impl Iterator<Item = &'a Any>) -> Result<Vec<Certificate>, Error> {
    let malformed = Error::Malformed("a certificate in the token can't be read");
    set.filter(|any| any.tag() == Tag::Sequence)
        .map(|any| any.to_der().ok().and_then(|der| Certificate::from_der(&der).ok()).ok_or_else(|| malformed.clone()))
        .collect()
}

fn identifies(sid: &SignerIdentifier, certificate: &Certificate) -> bool {
    let tbs = &certificate.parsed.tbs_certificate;
    match sid {
        SignerIdentifier::IssuerAndSerialNumber(id) => id.issuer == tbs.issuer && id.serial_number == tbs.serial_number,
        SignerIdentifier::SubjectKeyIdentifier(id) => {
            certificate.extension("2.5.29.14", false, |own: SubjectKeyIdentifier| own == *id)
        }
    }
}

fn check(info: &SignerInfo, content: &[u8], signer: &Certificate) -> Result<(), Error> {
    let malformed = |_| Error::BadSignature("a signed attribute is malformed");
    let version = match info.sid {
        SignerIdentifier::IssuerAndSerialNumber(_) => CmsVersion::V1,
        SignerIdentifier::SubjectKeyIdentifier(_) => CmsVersion::V3,
    };
    if info.version != version {
        return Err(Error::BadSignature("not of the version that its form has"));
    }
    let algorithm = algorithm(info)?;
    let attributes = info.signed_attrs.as_ref().ok_or(Error::BadSignature("no signed attributes"))?;
    // Written again as a SET, which is what was signed (RFC 5652 section 5.4).
    if !signer.verifies(algorithm, None, &attributes.to_der().map_err(malformed)?, info.signature.as_bytes()) {
        return Err(Error::BadSignature("not by the certificate in it"));
    }
    let content_type = the(attributes, rfc5911::ID_CONTENT_TYPE)?;
    let content_type =
        content_type.map(|value| value.decode_as::<ObjectIdentifier>()).transpose().map_err(malformed)?;
    if content_type != Some(TST_INFO) {
        return Err(Error::BadSignature("what was signed is not a timestamp"));
    }
    let signed = the(attributes, rfc5911::ID_MESSAGE_DIGEST)?;
    let signed = signed.map(|value| value.decode_as::<OctetString>()).transpose().map_err(malformed)?;
    let is = hash(&info.digest_alg, content)?;
    if signed.as_ref().map(OctetString::as_bytes) != Some(&is[..]) {
        return Err(Error::BadSignature("the content is not what was signed"));
    }
    names_its_signer(attributes, signer)
}

/// The attribute that says which certificate was meant to sign (RFC 2634 or RFC 5035): without it, another one with the
/// same key could be put in its place.
fn names_its_signer(attributes: &Attributes, signer: &Certificate) -> Result<(), Error> {
    let by_sha1 = the(attributes, rfc5911::ID_AA_SIGNING_CERTIFICATE)?;
    let by_any = the(attributes, rfc5911::ID_AA_SIGNING_CERTIFICATE_V_2)?;
    if by_sha1.is_none() && by_any.is_none() {
        return Err(Error::BadSignature("it doesn't say which certificate signed (no ESS attribute)"));
    }
    for (value, is_first) in [(by_sha1, true), (by_any, false)] {
        let Some(value) = value else { continue };
        let malformed = |_| Error::BadSignature("the ESS attribute is malformed");
        let named: SigningCertificate = value.decode_as().map_err(malformed)?;
        let own = named.certificates.first().ok_or(Error::BadSignature("the ESS attribute is empty"))?;
        let hash = match &own.algorithm {
            Some(_) if is_first => return Err(Error::BadSignature("the ESS attribute is malformed")),
            Some(algorithm) => hash(algorithm, signer.der())?,
            None if is_first => digest(&SHA1_FOR_LEGACY_USE_ONLY, signer.der()).as_ref().to_vec(),
            None => digest(&SHA256, signer.der()).as_ref().to_vec(),
        };
        if own.hash.as_bytes() != hash {
            return Err(Error::BadSignature("the certificate in it is not the one that was signed with"));
        }
    }
    Ok(())
}

/// The one value of a signed attribute, if it is there: more than one would leave a choice.
fn the(attributes: &Attributes, oid: ObjectIdentifier) -> Result<Option<&Any>, Error> {
    let named: Vec<_> = attributes.iter().filter(|a| a.oid == oid).map(|a| a.values.as_slice()).collect();
    match named[..] {
        [] => Ok(None),
        [[only]] => Ok(Some(only)),
        _ => Err(Error::BadSignature("a signed attribute is repeated")),
    }
}

fn hash(algorithm: &AlgorithmIdentifierOwned, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let by = match algorithm.oid {
        rfc5912::ID_SHA_256 => &SHA256,
        rfc5912::ID_SHA_384 => &SHA384,
        rfc5912::ID_SHA_512 => &SHA512,
        other => return Err(Error::UnknownAlgorithm(other.to_string())),
    };
    if !no_parameters(algorithm) {
        return Err(Error::UnknownAlgorithm(algorithm.oid.to_string()));
    }
    Ok(digest(by, bytes).as_ref().to_vec())
}

/// The OID of the signature together with its digest. Where it is given as plain RSA, the digest says which.
fn algorithm(info: &SignerInfo) -> Result<&'static str, Error> {
    let (given, digest) = (&info.signature_algorithm, info.digest_alg.oid);
    let of = |sha256, sha384, sha512| match digest {
        rfc5912::ID_SHA_256 => sha256,
        rfc5912::ID_SHA_384 => sha384,
        rfc5912::ID_SHA_512 => sha512,
        _ => "",
    };
    let rsa = of("1.2.840.113549.1.1.11", "1.2.840.113549.1.1.12", "1.2.840.113549.1.1.13");
    let ecdsa = of("1.2.840.10045.4.3.2", "1.2.840.10045.4.3.3", "");
    let name = given.oid.to_string();
    let known = [rsa, ecdsa].into_iter().find(|known| *known == name);
    let plain = Some(rsa).filter(|rsa| !rsa.is_empty() && given.oid == rfc5912::RSA_ENCRYPTION);
    let unknown = || Error::UnknownAlgorithm(format!("{name} over {digest}"));
    if no_parameters(given) { known.or(plain).ok_or_else(unknown) } else { Err(unknown()) }
}

/// Written as absent or as NULL, which mean the same.
pub(super) fn no_parameters(algorithm: &AlgorithmIdentifierOwned) -> bool {
    algorithm.parameters.as_ref().is_none_or(Any::is_null)
}
