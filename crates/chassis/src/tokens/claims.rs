//! What a token claims, and whether its time and its place are ours. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use ids::OfficerId;
use serde::Deserialize;

use super::{Claims, Refused};
use crate::Roles;

/// How far the issuer's clock may be from ours.
const LEEWAY: TimeDelta = TimeDelta::seconds(30);

/// What each token must say.
#[derive(Deserialize)]
pub(super) struct Standard {
    iss: String,
    aud: Audience,
    exp: f64,
    nbf: Option<f64>,
}

/// One or several, as the standard has it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// What an access token says of an officer.
#[derive(Deserialize)]
pub(super) struct Officer {
    sub: String,
    force: String,
    #[serde(default)]
    roles: Vec<String>,
    exp: f64,
}

impl Standard {
    /// From there, for us, and now?
    pub(super) fn check(&self, issuer: &str, audience: &str, now: DateTime<Utc>) -> Result<(), Refused> {
        let for_us = match &self.aud {
            Audience::One(one) => one == audience,
            Audience::Several(several) => several.iter().any(|one| one == audience),
        };
        let begins = self.nbf.map(time).transpose()?;
        if self.iss != issuer || !for_us || begins.is_some_and(|begins| now < begins - LEEWAY) {
            return Err(Refused::Invalid);
        }
        if now < time(self.exp)? + LEEWAY { Ok(()) } else { Err(Refused::Expired) }
    }
}

impl Officer {
    pub(super) fn claims(self) -> Result<Claims, Refused> {
        let officer: OfficerId = self.sub.parse().map_err(|_| Refused::Invalid)?;
        if officer.lent_by().is_some() {
            // What an officer is called elsewhere is ours to say, once the service says that they are lent.
            return Err(Refused::Invalid);
        }
        Ok(Claims {
            officer,
            force: self.force.parse().map_err(|_| Refused::Invalid)?,
            roles: Roles::of_words(self.roles),
            expires_at: time(self.exp)?,
        })
    }
}

/// Seconds since 1970, which some issuers give with a fraction. Far from the ends of what a time can be: it is added to.
fn time(seconds: f64) -> Result<DateTime<Utc>, Refused> {
    let sane = (0.0..1e11).contains(&seconds);
    #[expect(clippy::cast_possible_truncation, reason = "it is within bounds, and a fraction is cut off on purpose")]
    let whole = if sane { seconds as i64 } else { return Err(Refused::Invalid) };
    DateTime::from_timestamp(whole, 0).ok_or(Refused::Invalid)
}
