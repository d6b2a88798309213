//! One officer's sign-in in one browser.

use chrono::{DateTime, Utc};
use ids::{ForceId, OfficerId, Secret};

/// Who has signed in, as the issuer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Officer {
    /// As the services know them.
    pub id: OfficerId,
    /// For their own screen.
    pub name: String,
    /// Whose calls they take.
    pub force: ForceId,
    /// What they are there for, in the issuer's words.
    pub roles: Vec<String>,
}

/// What the issuer gave for an officer. It never leaves this process but to a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Says to a service who asks.
    pub access: Secret<String>,
    /// Since when.
    pub access_from: DateTime<Utc>,
    /// Until when.
    pub access_until: DateTime<Utc>,
    /// Renews both.
    pub refresh: Option<Secret<String>>,
}

/// A sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Whose.
    pub officer: Officer,
    /// The issuer's own name of it: by that it may end it.
    pub sid: Option<String>,
    /// What it is worth.
    pub grant: Grant,
}

impl Grant {
    /// Is it time for a new access token, if one can be had? From half of its life on: then an issuer that is slow, or
    /// away for a while, is noticed by nobody.
    #[must_use]
    pub fn is_old(&self, now: DateTime<Utc>) -> bool {
        self.refresh.is_some() && self.access_from + (self.access_until - self.access_from) / 2 <= now
    }

    /// Does the access token still hold?
    #[must_use]
    pub fn holds(&self, now: DateTime<Utc>) -> bool {
        now < self.access_until
    }

    /// This one after that: an issuer that gives no new refresh token means the old one.
    #[must_use]
    pub fn after(mut self, before: &Self) -> Self {
        if self.refresh.is_none() {
            self.refresh.clone_from(&before.refresh);
        }
        self
    }
}
