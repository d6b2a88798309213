//! When a seal was there: an authority's timestamp over it (RFC 3161, RFC 5816), asked for and checked.
//!
//! The types are written here: those of `x509-tsp` refuse fractions of a second, failure bits and an absent status text,
//! all of which real authorities send. Not checked, as nobody can offline: whether the authority's certificate was revoked.

mod asn1;
mod request;
mod response;
mod signed;

use chrono::{DateTime, TimeDelta, Utc};
pub use request::Request;
pub use response::Response;

use crate::{
    seal::{self, Certificate, Roots},
    sha256::Digest,
};

/// What a timestamp says, once it has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// When, by the authority's clock. To the fraction of a second that it gives.
    pub gen_time: DateTime<Utc>,
    /// The token's serial number, in hex without leading zeros: unique at its authority.
    pub serial: String,
    /// The policy it was made under, a dotted OID.
    pub policy: String,
    /// Whom the authority's certificate names, as RFC 4514 text.
    pub authority: String,
    /// How far off `gen_time` may be, if the authority says.
    pub accuracy: Option<TimeDelta>,
    /// What was stamped.
    pub imprint: Digest,
}

/// The roots that an authority's certificate must lead to. Not those of the seal: another maker, other trust.
#[derive(Debug, Clone)]
pub struct TsaRoots(Roots);

impl TsaRoots {
    /// Reads a PEM file of one or more.
    ///
    /// # Errors
    /// If there is none, or one can't be read.
    pub fn from_pem(pem: &str) -> Result<Self, seal::Error> {
        Roots::from_pem(pem).map(Self)
    }

    fn lead_to(&self, from: &Certificate, others: &[Certificate], then: DateTime<Utc>) -> Result<(), Error> {
        from.valid_at(then).map_err(|e| match e {
            seal::Error::NotValidThen { from, until } => Error::NotValidThen { then, from, until },
            other => Error::Untrusted(other.to_string()),
        })?;
        self.0.way(from, others, then).map_err(|e| Error::Untrusted(e.to_string())).map(drop)
    }
}

/// Checks a kept answer (`proof/seal.tsr`) over these bytes, with no request at hand: the offline verifier's question.
///
/// # Errors
/// What is wrong with it.
pub fn verify(tsr: &[u8], stamped: &[u8], roots: &TsaRoots) -> Result<Token, Error> {
    Response::parse(tsr)?.trusted(Digest::of(stamped), roots)
}

/// Why a timestamp is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not an answer of RFC 3161 at all.
    #[error("not a timestamp answer: {0}")]
    Malformed(&'static str),
    /// The policy asked for isn't a dotted OID.
    #[error("not a policy's dotted OID")]
    NotAPolicy,
    /// The authority said no.
    #[error("the authority refused: {status}{}{why}", if why.is_empty() { "" } else { ", " })]
    Rejected {
        /// Its status, in RFC 3161's word.
        status: &'static str,
        /// Its failure bits in RFC 3161's words, joined by commas. Its free text is left out: anybody could have put it there.
        why: String,
        /// Whether asking again later may help.
        temporary: bool,
    },
    /// Not a good signature.
    #[error("the timestamp's signature doesn't hold: {0}")]
    BadSignature(&'static str),
    /// The signature is of a kind that we can't check.
    #[error("the timestamp is signed in a way that this verifier doesn't know ({0})")]
    UnknownAlgorithm(String),
    /// The certificate isn't for timestamps alone.
    #[error("the certificate of {0} is not one for timestamps (and nothing else)")]
    NotForTimestamps(String),
    /// The signed part says something that can't be relied upon.
    #[error("the timestamp's content is not usable: {0}")]
    BadContent(&'static str),
    /// The digest in it isn't SHA-256.
    #[error("the timestamp is over a digest that is not SHA-256 ({0})")]
    OtherDigest(String),
    /// A timestamp of something else.
    #[error("the timestamp is over something else")]
    OtherImprint,
    /// An answer to another request.
    #[error("the timestamp answers another request (its nonce is not ours)")]
    OtherNonce,
    /// Made under other rules than those asked for.
    #[error("the timestamp was made under policy {given}, not {asked}")]
    OtherPolicy {
        /// The policy that was asked for.
        asked: String,
        /// The policy that it was made under.
        given: String,
    },
    /// The authority's certificate had expired, or was not yet valid.
    #[error("the authority's certificate was not valid at {then} (it is from {from} to {until})")]
    NotValidThen {
        /// The token's time.
        then: DateTime<Utc>,
        /// Start of its validity.
        from: String,
        /// End of its validity.
        until: String,
    },
    /// The certificate doesn't lead to a trust root.
    #[error("the authority is not trusted: {0}")]
    Untrusted(String),
}
