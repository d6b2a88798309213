//! What is remembered of the tries to renew a grant, from one to the next.

use chrono::{DateTime, TimeDelta, Utc};

use super::Grant;

/// So many requests may wait for a try: when it fails they must not each make one of their own.
const PAUSE: TimeDelta = TimeDelta::seconds(2);

/// How renewing a grant went so far.
#[derive(Debug, Default)]
pub struct Tries {
    failed: Option<DateTime<Utc>>,
    /// One was perhaps done, and its answer lost: the refresh token may be spent, and the next one never came.
    unheard: bool,
    /// That turned out to be so.
    spent: bool,
}

impl Tries {
    /// Is it worth trying now? A clock that was set back counts as time that has passed.
    #[must_use]
    pub fn may(&self, grant: &Grant, now: DateTime<Utc>) -> bool {
        let given_up = self.spent && grant.holds(now);
        !given_up && self.failed.is_none_or(|then| (now - then).abs() >= PAUSE)
    }

    /// The issuer was not there. Perhaps it did hear us.
    pub fn fail(&mut self, heard: bool, now: DateTime<Utc>) {
        self.failed = Some(now);
        self.unheard |= heard;
    }

    /// The issuer doesn't take the refresh token. When an answer of its was lost that is no word against the officer:
    /// may they stay, as long as the access token holds?
    pub fn forgive(&mut self, grant: &Grant, now: DateTime<Utc>) -> bool {
        self.spent = self.unheard && grant.holds(now);
        self.spent
    }
}
