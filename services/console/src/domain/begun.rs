//! A sign-in on its way through the issuer.
//!
//! Nothing of it is kept here: the browser has a ticket (in a cookie of its own), and what belongs to the ticket is
//! derived from it with a key that only this process has. So a flood of sign-ins that nobody ends fills nothing, and
//! the browser never learns the verifier.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use ring::{digest, hmac};

/// How long somebody may take at the issuer's page.
const LENGTH: TimeDelta = TimeDelta::minutes(10);

/// Makes tickets, and knows its own.
#[derive(Debug)]
pub struct Beginnings(hmac::Key);

/// What belongs to a ticket.
#[derive(Clone, PartialEq, Eq)]
pub struct Begun {
    /// Comes back with the code: the browser that began is the browser that ends.
    pub state: String,
    /// Comes back within the id token: it was made for this sign-in.
    pub nonce: String,
    /// Redeems the code (PKCE): nobody else who sees it can.
    pub verifier: String,
}

impl Beginnings {
    /// With a key of this process.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// A ticket for one sign-in.
    #[must_use]
    pub fn ticket(&self, random: [u8; 32], now: DateTime<Utc>) -> String {
        format!("{}.{}", (now + LENGTH).timestamp(), URL_SAFE_NO_PAD.encode(random))
    }

    /// What belongs to a ticket, as long as it holds. To a made-up one, something that no issuer ever saw.
    #[must_use]
    pub fn begun(&self, ticket: &str, now: DateTime<Utc>) -> Option<Begun> {
        let (until, _) = ticket.split_once('.')?;
        if now.timestamp() >= until.parse().ok()? {
            return None;
        }
        let derived = |what: &str| URL_SAFE_NO_PAD.encode(hmac::sign(&self.0, format!("{what} {ticket}").as_bytes()));
        Some(Begun { state: derived("state"), nonce: derived("nonce"), verifier: derived("verifier") })
    }
}

impl Begun {
    /// The verifier as the issuer may see it beforehand (S256).
    #[must_use]
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, self.verifier.as_bytes()))
    }
}
