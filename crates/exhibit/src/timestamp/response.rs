//! What an authority answers, and whether that is a timestamp of ours.

use const_oid::db::rfc5912;
use der::{Decode, Encode};
use x509_cert::ext::pkix::{SubjectAltName, name::GeneralName};

use super::{
    Error, Request, Token, TsaRoots,
    asn1::{PkiStatusInfo, TimeStampResp, TstInfo, generalized_time},
    signed::{SignedToken, no_parameters},
};
use crate::{seal::Certificate, sha256::Digest};

/// An authority's whole answer (a `TimeStampResp`): a token, or why there is none.
#[derive(Debug, Clone)]
pub struct Response(TimeStampResp);

impl Response {
    /// Reads one.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn parse(der: &[u8]) -> Result<Self, Error> {
        TimeStampResp::from_der(der).map(Self).map_err(|_| Error::Malformed("not in DER"))
    }

    /// What the token says, if its signature is good by the certificate in it. Who that is, is for [`Response::check`].
    ///
    /// # Errors
    /// If the authority refused, or the token isn't one.
    pub fn read(&self) -> Result<Token, Error> {
        self.open().map(|opened| opened.token)
    }

    /// The certificates in the token, the authority's own first: for convenience, never as trust roots.
    ///
    /// # Errors
    /// As [`Response::read`].
    pub fn certificates(&self) -> Result<Vec<Certificate>, Error> {
        let signed = self.open()?.signed;
        Ok([vec![signed.signer], signed.others].concat())
    }

    /// Whether this is the answer to that request by a trusted authority, whose certificates held at the token's own time.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, request: &Request, roots: &TsaRoots) -> Result<Token, Error> {
        let opened = self.open()?;
        if opened.info.nonce.as_ref() != Some(&request.nonce) {
            return Err(Error::OtherNonce);
        }
        if let Some(asked) = request.policy.filter(|asked| *asked != opened.info.policy) {
            return Err(Error::OtherPolicy { asked: asked.to_string(), given: opened.token.policy });
        }
        opened.trusted(request.imprint, roots)
    }

    pub(super) fn trusted(&self, imprint: Digest, roots: &TsaRoots) -> Result<Token, Error> {
        self.open()?.trusted(imprint, roots)
    }

    fn open(&self) -> Result<Opened, Error> {
        let Self(TimeStampResp { status, token }) = self;
        granted(status)?;
        let token = token.as_ref().ok_or(Error::Malformed("granted, but without a token"))?;
        let signed = SignedToken::open(&token.to_der().map_err(|_| Error::Malformed("not in DER"))?)?;
        let info = TstInfo::from_der(&signed.content).map_err(|_| Error::BadContent("not a TSTInfo in DER"))?;
        let token = read(&info, &signed)?;
        Ok(Opened { signed, info, token })
    }
}

struct Opened {
    signed: SignedToken,
    info: TstInfo,
    token: Token,
}

impl Opened {
    fn trusted(self, imprint: Digest, roots: &TsaRoots) -> Result<Token, Error> {
        if self.token.imprint != imprint {
            return Err(Error::OtherImprint);
        }
        roots.lead_to(&self.signed.signer, &self.signed.others, self.token.gen_time)?;
        Ok(self.token)
    }
}

fn granted(info: &PkiStatusInfo) -> Result<(), Error> {
    let status = match info.status {
        0 | 1 if info.failures.is_some() => return Err(Error::Malformed("granted, and a failure")),
        0 | 1 => return Ok(()),
        2 => "rejection",
        3 => "waiting",
        4 => "revocationWarning",
        5 => "revocationNotification",
        _ => return Err(Error::Malformed("an unknown status")),
    };
    let word = |bit| match bit {
        0 => "badAlg",
        2 => "badRequest",
        5 => "badDataFormat",
        14 => "timeNotAvailable",
        15 => "unacceptedPolicy",
        16 => "unacceptedExtension",
        17 => "addInfoNotAvailable",
        25 => "systemFailure",
        _ => "an unknown failure",
    };
    let bits: Vec<_> = info.failures.iter().flat_map(|f| f.bits().enumerate()).filter(|(_, set)| *set).collect();
    Err(Error::Rejected {
        status,
        why: bits.iter().map(|(bit, _)| word(*bit)).collect::<Vec<_>>().join(", "),
        temporary: info.status == 3 || bits.iter().any(|(bit, _)| matches!(bit, 14 | 25)),
    })
}

fn read(info: &TstInfo, signed: &SignedToken) -> Result<Token, Error> {
    if info.version != 1 {
        return Err(Error::BadContent("not of version 1"));
    }
    if info.extensions.iter().flatten().any(|e| e.critical) {
        return Err(Error::BadContent("it has a limit that this verifier doesn't understand"));
    }
    let algorithm = &info.imprint.algorithm;
    if algorithm.oid != rfc5912::ID_SHA_256 || !no_parameters(algorithm) {
        return Err(Error::OtherDigest(algorithm.oid.to_string()));
    }
    if let Some(name) = &info.authority {
        let name = name.to_der().and_then(|der| GeneralName::from_der(&der));
        let name = name.map_err(|_| Error::BadContent("the authority's name can't be read"))?;
        if !names(&name, &signed.signer) {
            return Err(Error::BadContent("it names another authority than its certificate"));
        }
    }
    let serial = hex::encode(info.serial.as_bytes());
    Ok(Token {
        gen_time: generalized_time(&info.time).ok_or(Error::BadContent("its time can't be read"))?,
        serial: match serial.trim_start_matches('0') {
            "" => "0".to_owned(),
            digits => digits.to_owned(),
        },
        policy: info.policy.to_string(),
        authority: signed.signer.subject(),
        accuracy: info.accuracy.map(|accuracy| accuracy.as_delta()),
        imprint: Digest::try_from(info.imprint.digest.as_bytes())
            .map_err(|_| Error::BadContent("its digest has not the length of SHA-256"))?,
    })
}

/// RFC 3161 section 2.4.2: the name must be one of those in the certificate.
fn names(name: &GeneralName, certificate: &Certificate) -> bool {
    let subject = &certificate.parsed.tbs_certificate.subject;
    matches!(name, GeneralName::DirectoryName(directory) if directory == subject)
        || certificate.extension("2.5.29.17", false, |others: SubjectAltName| others.0.contains(name))
}
