//! An officer at the desk: what they wish for, and whether they have been heard from.

use chrono::{DateTime, Utc};
use ids::{ForceId, OfficerId};

use super::{Rules, Skills};

/// What the officer says of themself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Ready for the next call.
    Free,
    /// Not now.
    Away,
}

/// An officer who has been at the desk. The wish outlives a lapse: an officer back from a broken line is as they were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Officer {
    /// Who.
    pub id: OfficerId,
    /// Of which force.
    pub force: ForceId,
    /// What they said last.
    pub wish: Wish,
    /// Since when they wait for a call; the longest free gets the next.
    pub free_since: DateTime<Utc>,
    /// When they count as gone unless heard from again.
    pub expires_at: DateTime<Utc>,
    /// They were not heard from in time, or went to another desk.
    pub gone: bool,
    /// The other force at whose desk they are, by the row of their own.
    pub elsewhere: Option<ForceId>,
    /// What they can do.
    pub skills: Skills,
}

impl Officer {
    /// An officer comes to the desk for the first time.
    #[must_use]
    pub fn arrive(id: OfficerId, force: ForceId, now: DateTime<Utc>, rules: &Rules) -> Self {
        let expires_at = rules.present_until(now);
        let (wish, gone, elsewhere, skills) = (Wish::Away, false, None, Skills::default());
        Self { id, force, wish, free_since: now, expires_at, gone, elsewhere, skills }
    }

    /// May be offered a call, if they have none; or once they are free of the one they have.
    #[must_use]
    pub fn is_free(&self, now: DateTime<Utc>) -> bool {
        self.wish == Wish::Free && !self.is_gone(now)
    }

    /// Not heard from in time.
    #[must_use]
    pub fn is_gone(&self, now: DateTime<Utc>) -> bool {
        self.gone || self.expires_at <= now
    }

    /// The officer gives a sign of life. One who was gone waits from now; one who is at another desk isn't here for it.
    #[must_use]
    pub fn heard(mut self, now: DateTime<Utc>, rules: &Rules) -> Self {
        if self.elsewhere.is_some() {
            return self;
        }
        if self.is_gone(now) {
            self.free_since = now;
        }
        self.gone = false;
        self.expires_at = self.expires_at.max(rules.present_until(now));
        self
    }

    /// The officer says what they wish for.
    #[must_use]
    pub fn wishes(self, wish: Wish, now: DateTime<Utc>, rules: &Rules) -> Self {
        let mut officer = self.heard(now, rules);
        if wish == Wish::Free && officer.wish == Wish::Away {
            officer.free_since = now;
        }
        officer.wish = wish;
        officer
    }

    /// The officer goes to another desk. Where they go is in the row of their own desk alone.
    #[must_use]
    pub fn leaves(mut self) -> Self {
        self.gone = true;
        self
    }

    /// By the row of their own desk: they are now at this other one, or at none but their own.
    #[must_use]
    pub fn is_at(mut self, other: Option<ForceId>) -> Self {
        self.elsewhere = other;
        self
    }

    /// The officer says what they can do.
    #[must_use]
    pub fn with_skills(mut self, skills: Skills) -> Self {
        self.skills = skills;
        self
    }

    /// After a call, or an offer not answered: to the end of the line.
    #[must_use]
    pub fn to_the_back(mut self, now: DateTime<Utc>) -> Self {
        self.free_since = now;
        self
    }

    /// Time passes: one who was not heard from is gone.
    #[must_use]
    pub fn lapse(mut self, now: DateTime<Utc>) -> Option<Self> {
        if self.gone || self.expires_at > now {
            return None;
        }
        self.gone = true;
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{
        super::tests::{RULES, at, free},
        *,
    };

    #[test]
    fn who_is_at_another_desk_is_gone_at_their_own_whatever_is_heard_of_them_until_they_come_back() {
        let gone = free(1, 0).leaves().is_at(Some("surrey".parse().unwrap()));
        assert!(gone.is_gone(at(1)) && gone.clone().heard(at(1), &RULES) == gone);
        let back = gone.is_at(None).wishes(Wish::Free, at(2), &RULES);
        assert!(back.is_free(at(3)) && back.free_since == at(2), "they wait from now");
    }
}
