//! What an authority is asked.

use const_oid::{ObjectIdentifier, db::rfc5912};
use der::{
    Encode,
    asn1::{Int, OctetString},
};
use spki::AlgorithmIdentifierOwned;

use super::{
    Error,
    asn1::{MessageImprint, TimeStampReq},
};
use crate::sha256::Digest;

/// A question for an authority, and what its answer must then say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub(super) imprint: Digest,
    pub(super) nonce: Int,
    pub(super) policy: Option<ObjectIdentifier>,
    der: Vec<u8>,
}

impl Request {
    /// Asks for a timestamp over what has that SHA-256, under that policy (a dotted OID) if one is given. The nonce must
    /// be random: it tells the answer from a replayed one.
    ///
    /// # Errors
    /// [`Error::NotAPolicy`].
    pub fn new(imprint: Digest, nonce: [u8; 8], policy: Option<&str>) -> Result<Self, Error> {
        let policy = policy.map(ObjectIdentifier::new).transpose().map_err(|_| Error::NotAPolicy)?;
        // A first byte of 0x40 to 0x7f makes the number positive and its eight bytes the only encoding.
        let mut nonce = nonce;
        nonce[0] = nonce[0] & 0x3f | 0x40;
        Self::encode(imprint, nonce, policy).map_err(|_| Error::Malformed("the request can't be encoded"))
    }

    fn encode(imprint: Digest, nonce: [u8; 8], policy: Option<ObjectIdentifier>) -> der::Result<Self> {
        let nonce = Int::new(&nonce)?;
        let request = TimeStampReq {
            version: 1,
            imprint: MessageImprint {
                algorithm: AlgorithmIdentifierOwned { oid: rfc5912::ID_SHA_256, parameters: Some(der::Any::null()) },
                digest: OctetString::new(&imprint.as_bytes()[..])?,
            },
            policy,
            nonce: Some(nonce.clone()),
            certificate_wanted: true,
        };
        Ok(Self { imprint, nonce, policy, der: request.to_der()? })
    }

    /// What is sent, as `application/timestamp-query`.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        self.der.clone()
    }
}
