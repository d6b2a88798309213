//! The desk, pure: an offer's machine, an officer's presence, and who gets which call. No clock, no I/O.
//!
//! ```text
//! Queued -> Offered{officer, expires_at} -> Accepted -> Ended
//!    ^          | declined, expired, officer gone
//!    +----------+
//! Queued | Offered -> Abandoned   (the control room takes the call back, or the caller their consent to video)
//! ```

mod call;
mod consents;
mod matching;
mod officer;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

pub use call::{Call, Facts, Offer, Outcome, Pass, Published, Refused, Risk, Route, Settled, State, Step};
pub use consents::Consents;
pub use matching::{Pair, pair, position, sort};
pub use officer::{Officer, Wish};

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
}

impl Rules {
    /// Until when an officer heard from at `now` counts as there.
    #[must_use]
    pub fn present_until(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        later(now, self.presence_timeout)
    }
}

/// `at` and then `by`, or the end of time.
fn later(at: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(by).ok().and_then(|by| at.checked_add_signed(by)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// `at` less `by`, or the beginning of time.
fn earlier(at: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(by).ok().and_then(|by| at.checked_sub_signed(by)).unwrap_or(DateTime::<Utc>::MIN_UTC)
}

#[cfg(test)]
mod tests;
