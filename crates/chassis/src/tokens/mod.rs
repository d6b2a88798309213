//! Tokens of the identity provider: who of which force asks, and what they are there for.
//!
//! A token is believed when one of the issuer's published keys has signed it, it is made out for us, and its time has
//! come and not passed, by our own clock. Which algorithm is the key's to say, never the token's.

mod claims;
mod issuer;
mod keys;
mod unknown;

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use ids::{ForceId, OfficerId};
use serde::{Deserialize, de::DeserializeOwned, de::IgnoredAny};

use crate::{Clock, Error, Roles, config};

use claims::{Officer, Standard};
use issuer::Issuer;

pub use issuer::is_private;

/// Larger than any token of a real issuer; a header of that size is refused by most servers anyway.
const MAX_TOKEN: usize = 16 * 1024;

/// Checks tokens. Cheap to clone; clones share the issuer's keys.
#[derive(Debug, Clone)]
pub struct Tokens(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    audience: String,
    clock: Clock,
    issuer: Arc<Issuer>,
}

/// What a token says of whoever asks. Nothing of it is secret; the token itself is, and isn't here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Who asks.
    pub officer: OfficerId,
    /// Of which force.
    pub force: ForceId,
    /// What they are there for.
    pub roles: Roles,
    /// Until when this holds.
    pub expires_at: DateTime<Utc>,
}

/// Why a token is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It was good once. A new one is to be fetched.
    #[error("this token has expired")]
    Expired,
    /// It never was any good here. Which of the reasons is for nobody to know.
    #[error("this is no token for us")]
    Invalid,
    /// The issuer's keys can't be had at the moment, or it hasn't been asked about this one yet, so nobody can tell.
    #[error("the tokens' issuer is not there at the moment")]
    IssuerAway,
}

/// The first part of a token, of which nothing is believed but the name of the key.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// Extensions that must be understood. We understand none.
    crit: Option<IgnoredAny>,
}

impl Tokens {
    /// Asks the issuer for nothing yet: it may come up after us.
    ///
    /// # Errors
    /// When an address is neither `https` nor on this machine.
    pub fn new(config: &config::Tokens, clock: Clock) -> Result<Self, Error> {
        let issuer = Arc::new(Issuer::new(config, clock.clone())?);
        Ok(Self(Arc::new(Inner { audience: config.audience.clone(), clock, issuer })))
    }

    /// Who asks, by an access token.
    ///
    /// # Errors
    /// When it isn't to be believed, or nobody can tell.
    pub async fn check(&self, bearer: &str) -> Result<Claims, Refused> {
        self.open::<Officer>(bearer).await?.claims()
    }

    /// Any claims of a token that is genuine, for us, and of this time; an id token's, say.
    ///
    /// # Errors
    /// As [`Tokens::check`]; also when it doesn't have these claims.
    pub async fn open<C: DeserializeOwned>(&self, token: &str) -> Result<C, Refused> {
        let payload = self.genuine(token).await?;
        let standard: Standard = parse(&payload)?;
        standard.check(self.0.issuer.name(), &self.0.audience, self.0.clock.now())?;
        parse(&payload)
    }

    /// The claims' bytes, once the signature holds.
    async fn genuine(&self, token: &str) -> Result<Vec<u8>, Refused> {
        if token.len() > MAX_TOKEN {
            return Err(Refused::Invalid);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Refused::Invalid)?;
        let (header, payload) = signed.split_once('.').ok_or(Refused::Invalid)?;
        let header: Header = parse(&decode(header)?)?;
        let payload = decode(payload)?;
        if header.crit.is_some() {
            return Err(Refused::Invalid);
        }
        let key = self.0.issuer.key(header.kid.as_deref()).await?;
        let genuine = key.is_for(&header.alg) && key.has_signed(signed.as_bytes(), signature);
        if genuine { Ok(payload) } else { Err(Refused::Invalid) }
    }
}

fn decode(part: &str) -> Result<Vec<u8>, Refused> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Refused::Invalid)
}

fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T, Refused> {
    serde_json::from_slice(json).map_err(|_| Refused::Invalid)
}
