//! The desk, pure: an offer's machine, an officer's presence, and who gets which call. No clock, no I/O.
//!
//! ```text
//! Queued -> Offered{officer, expires_at} -> Accepted -> Ended
//!    ^          | declined, expired, officer gone
//!    +----------+
//! Queued | Offered -> Abandoned   (the control room takes the call back, or the caller their consent to video)
//! Queued | Offered -> Offered{the named officer}, Accepted -> Accepted   (a sergeant gives it to them)
//! Queued | Offered | Accepted -> Returned   (the desk gives it back, closes, or nobody came free in time)
//! Returned (nobody had it) -> Accepted      (its caller was reached by a call-back)
//! Queued -> Accepted                        (a follow-up, by the officer who has its caller on the phone)
//! ```

mod alert;
mod call;
mod callback;
mod consents;
mod follow_up;
mod hours;
mod loan;
mod matching;
mod officer;
mod reassigned;
mod returned;
mod round;
mod rules;
mod shift;
mod silent;
mod skills;
mod wait;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

pub use alert::{Alert, AlertKind};
pub use call::{Call, Facts, Offer, Outcome, Pass, Published, Refused, Risk, Route, Settled, State, Step};
pub use callback::{Attempt, Callback, CallbackState, NoCallback, Outcome as Tried, Turn, Window};
pub use consents::Consents;
pub use follow_up::FollowUp;
pub use hours::{Calendar, Day, Hours, Span};
pub use loan::{Loan, LoanState, NoLoan};
pub use matching::{Matching, Pair, Present, Vulnerability, pair, position, sort};
pub use officer::{Officer, Wish};
pub use returned::Why;
pub use round::{Round, round};
pub use rules::{ByRisk, Rules, Waits};
pub use shift::{NoShift, Shift};
pub use silent::Silent;
pub use skills::{Gender, Skills};
pub use wait::{Pace, Standing};

/// `at` and then `by`, or the end of time.
fn later(at: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(by).ok().and_then(|by| at.checked_add_signed(by)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// `at` less `by`, or the beginning of time.
fn earlier(at: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(by).ok().and_then(|by| at.checked_sub_signed(by)).unwrap_or(DateTime::<Utc>::MIN_UTC)
}

#[cfg(test)]
mod ringing;
#[cfg(test)]
mod starving;
#[cfg(test)]
mod tests;
