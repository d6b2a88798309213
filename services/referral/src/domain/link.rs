//! The link in a letter, by which a partner says that they have a referral, and what came of it. Whoever has it may say so: it is signed,
//! it ends, and it says nothing of whom the referral is about.

#[cfg(test)]
mod tests;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use ids::{CallId, ForceId, ReferralId};
use ring::hmac::{HMAC_SHA256, Key, Tag, sign, verify};
use uuid::Uuid;

/// The shortest key in bytes.
pub const SHORTEST_KEY: usize = 32;
/// The first byte of what is signed.
const VERSION: u8 = 1;
/// Version and expiry, call, referral; the force is what comes after.
const FIXED: usize = 1 + 8 + 16 + 16;
/// The signature, which comes last.
const SIGNATURE: usize = 32;
/// The longest force has 16 characters.
const LONGEST: usize = FIXED + 16 + SIGNATURE;

/// What a link is to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// From this second on it is none any more.
    pub expires_at: DateTime<Utc>,
    /// Of this force.
    pub force: ForceId,
    /// Of this call.
    pub call: CallId,
    /// To this referral.
    pub referral: ReferralId,
}

/// What links are signed with: the first signs, and by any of them one is known.
#[derive(Debug, Clone)]
pub struct Keys {
    first: Key,
    others: Vec<Key>,
}

/// Keys that nothing is signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakKeys {
    /// There are none.
    #[error("there is no key")]
    None,
    /// One that could be guessed.
    #[error("a key has fewer than {SHORTEST_KEY} bytes")]
    Short,
}

/// Why a text is no link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotALink {
    /// It hasn't the shape of one.
    #[error("it hasn't the shape of a link")]
    Malformed,
    /// None of our keys has signed it.
    #[error("the link is not signed by us")]
    Forged,
    /// It was one.
    #[error("the link has expired")]
    Expired,
}

impl Keys {
    /// These, the first of which signs.
    ///
    /// # Errors
    /// There are none, or one is short.
    pub fn new(secrets: &[Vec<u8>]) -> Result<Self, WeakKeys> {
        if secrets.iter().any(|secret| secret.len() < SHORTEST_KEY) {
            return Err(WeakKeys::Short);
        }
        let mut keys = secrets.iter().map(|secret| Key::new(HMAC_SHA256, secret));
        let first = keys.next().ok_or(WeakKeys::None)?;
        Ok(Self { first, others: keys.collect() })
    }

    /// The link as text: letters, digits, '-' and '_'.
    #[must_use]
    pub fn sign(&self, link: &Link) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(link.expires_at.timestamp().to_be_bytes());
        bytes.extend(link.call.uuid().as_bytes());
        bytes.extend(link.referral.uuid().as_bytes());
        bytes.extend(link.force.as_str().as_bytes());
        let signature: Tag = sign(&self.first, &bytes);
        bytes.extend(signature.as_ref());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// What a text is a link to, if it is one now. How long that takes says nothing of a signature.
    ///
    /// # Errors
    /// It is none, or none any more.
    pub fn read(&self, text: &str, now: DateTime<Utc>) -> Result<Link, NotALink> {
        // Nothing longer is even looked at.
        if text.len() > LONGEST.div_ceil(3) * 4 {
            return Err(NotALink::Malformed);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NotALink::Malformed)?;
        let (signed, signature) =
            bytes.len().checked_sub(SIGNATURE).map(|end| bytes.split_at(end)).ok_or(NotALink::Malformed)?;
        let is_by = |key: &Key| verify(key, signed, signature).is_ok();
        if !is_by(&self.first) && !self.others.iter().any(is_by) {
            return Err(NotALink::Forged);
        }
        let link = parse(signed).ok_or(NotALink::Malformed)?;
        if link.expires_at <= now { Err(NotALink::Expired) } else { Ok(link) }
    }
}

/// What was signed.
fn parse(signed: &[u8]) -> Option<Link> {
    let (fixed, force) = signed.split_at_checked(FIXED)?;
    let (version, rest) = fixed.split_first()?;
    let (expiry, rest) = rest.split_at_checked(8)?;
    let (call, referral) = rest.split_at_checked(16)?;
    if *version != VERSION {
        return None;
    }
    Some(Link {
        expires_at: DateTime::from_timestamp(i64::from_be_bytes(expiry.try_into().ok()?), 0)?,
        force: std::str::from_utf8(force).ok()?.parse().ok()?,
        call: Uuid::from_slice(call).ok()?.into(),
        referral: Uuid::from_slice(referral).ok()?.into(),
    })
}
