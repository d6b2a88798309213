//! The force's rules for its desk: data, and what they come to for one call.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Risk, later};

/// Something that depends on the grade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the grades")]
pub struct ByRisk<T> {
    pub standard: T,
    pub medium: T,
    pub high: T,
}

impl<T: Copy> ByRisk<T> {
    /// For this grade.
    #[must_use]
    pub fn of(&self, risk: Risk) -> T {
        match risk {
            Risk::Standard => self.standard,
            Risk::Medium => self.medium,
            Risk::High => self.high,
        }
    }
}

/// The force's rules for its desk.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// How long an officer has to answer an offer.
    pub offer_timeout: Duration,
    /// How long an officer counts as there after being heard from.
    pub presence_timeout: Duration,
    /// How long a declined call stays away from the officer who declined it, even when nobody else is free.
    pub decline_pause: Duration,
    /// How much longer than it has, a high-risk call counts as having waited.
    pub high_risk_head_start: Duration,
    /// The same for medium risk. Standard has none.
    pub medium_risk_head_start: Duration,
    /// The same, in addition, for a caller who depends on others very much.
    pub great_vulnerability_head_start: Duration,
    /// And for one who does somewhat.
    pub some_vulnerability_head_start: Duration,
    /// How long a call waits for an officer at the desk who has every skill that it asks for, while others are free.
    pub skill_patience: ByRisk<Duration>,
    /// After how long a sergeant is told that a call waits.
    pub long_wait: ByRisk<Duration>,
    /// After how long a call that no officer has goes back to the control room.
    pub wait_limit: ByRisk<Duration>,
    /// How long a call takes, until the desk has enough of its own to go by.
    pub usual_call: Duration,
}

/// What a call's wait comes to, fixed when it is queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// From then on any officer will do.
    pub softens_at: DateTime<Utc>,
    /// From then on it is a long wait.
    pub long_at: DateTime<Utc>,
    /// Until then.
    pub until: DateTime<Utc>,
}

impl Rules {
    /// Until when an officer heard from at `now` counts as there.
    #[must_use]
    pub fn present_until(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        later(now, self.presence_timeout)
    }

    /// For a call of this grade that is queued at `now`.
    #[must_use]
    pub fn waits(&self, risk: Risk, now: DateTime<Utc>) -> Waits {
        Waits {
            softens_at: later(now, self.skill_patience.of(risk)),
            long_at: later(now, self.long_wait.of(risk)),
            until: later(now, self.wait_limit.of(risk)),
        }
    }
}
