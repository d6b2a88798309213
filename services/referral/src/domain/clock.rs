//! Clocks: by when something has to be done, and what becomes of that. A deadline is worked out once, from the rule as it was then; what
//! happens to it is a function of moments alone, so that ticks may come late, twice, from several, or by a clock that was set back.

mod rules;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use ids::{ClockId, ReferralId};
use serde::{Deserialize, Serialize};

pub use rules::{BadRule, Clocks, Kind, Rule};

/// How far a referral has come, or that something was done that has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Milestone {
    /// The partner has been sent it, or told.
    Sent,
    /// They have said that they have it.
    Acknowledged,
    /// What came of it is known, or it was withdrawn.
    Outcome,
    /// It was done.
    Done,
}

/// A clock of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadline {
    /// Ours.
    pub id: ClockId,
    /// The rule's.
    pub key: String,
    /// What is to be done, as it was written when it began.
    pub title: String,
    /// Where it is said.
    pub source: String,
    /// Of which referral.
    pub referral: Option<ReferralId>,
    /// What stops it.
    pub ends_with: Milestone,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// From when on it is near.
    pub near_at: DateTime<Utc>,
    /// By when it has to be done: whoever is done at this moment is late.
    pub due_at: DateTime<Utc>,
    /// When it was said that it is near.
    pub near_raised_at: Option<DateTime<Utc>>,
    /// When it was said that it has run out.
    pub missed_raised_at: Option<DateTime<Utc>>,
    /// When it was done.
    pub stopped_at: Option<DateTime<Utc>>,
}

/// How a clock stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// There is time.
    Running,
    /// There isn't much.
    Near,
    /// There is none left.
    Missed,
    /// It was done in time.
    Stopped,
    /// It was done, and too late.
    StoppedLate,
}

/// What is said of it, each once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Raised {
    /// It has not long to run.
    Near,
    /// It has run out.
    Missed,
}

impl Deadline {
    /// How it stands, going by what was raised: what an officer sees is what was said.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match (self.stopped_at, self.missed_raised_at, self.near_raised_at) {
            (Some(at), ..) if at < self.due_at => Standing::Stopped,
            (Some(_), ..) => Standing::StoppedLate,
            (None, Some(_), _) => Standing::Missed,
            (None, None, Some(_)) => Standing::Near,
            (None, None, None) => Standing::Running,
        }
    }

    /// Says what is to be said by now. Both, if both are; and of a clock that was set back nothing is said again.
    #[must_use]
    pub fn tick(mut self, now: DateTime<Utc>) -> (Self, Vec<Raised>) {
        let mut raised = vec![];
        if self.stopped_at.is_none() {
            if now >= self.near_at && self.near_raised_at.is_none() {
                self.near_raised_at = Some(now);
                raised.push(Raised::Near);
            }
            if now >= self.due_at && self.missed_raised_at.is_none() {
                self.missed_raised_at = Some(now);
                raised.push(Raised::Missed);
            }
        }
        (self, raised)
    }

    /// It was done, at that moment: in time if it was before it was due, whatever was said meanwhile. The first word stays.
    #[must_use]
    pub fn stop(mut self, at: DateTime<Utc>) -> Self {
        self.stopped_at.get_or_insert(at);
        self
    }
}
