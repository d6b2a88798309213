//! A call goes back to the control room: nobody came free in time, or the desk gives it back, even in mid-call.

use chrono::{DateTime, Utc};
use ids::OfficerId;

use super::{Call, Outcome, Published, Refused, Settled, State, Step};

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// No officer came free in time.
    WaitLimit,
    /// An officer or a sergeant gave it back.
    ByDesk,
}

impl Why {
    /// The word in the contract.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WaitLimit => "WAIT_LIMIT",
            Self::ByDesk => "RETURNED_BY_DESK",
        }
    }
}

impl Call {
    /// The officer who has it, or has it on offer, gives it back, or a sergeant does: whoever had it is free of it.
    ///
    /// # Errors
    /// It is over, or somebody else's.
    pub fn hand_back(mut self, by: &OfficerId, is_sergeant: bool) -> Result<Step, Refused> {
        let has_it = match &self.state {
            State::Offered(offer) => offer.officer == *by,
            State::Accepted { officer, .. } => officer == by,
            State::Queued | State::Ended { .. } | State::Abandoned | State::Returned { .. } => false,
        };
        if !has_it && !is_sergeant && !self.is_over() {
            return Err(Refused::NotYourCall);
        }
        let (settled, officer) = match &self.state {
            State::Queued => (None, None),
            State::Offered(offer) => {
                (Some(Settled { nth: offer.nth, outcome: Outcome::Withdrawn, reason: None }), None)
            }
            State::Accepted { officer, .. } => (None, Some(officer.clone())),
            State::Ended { .. } | State::Abandoned | State::Returned { .. } => return Err(Refused::CallOver),
        };
        let why = Why::ByDesk;
        self.passes.clear();
        self.state = State::Returned { why, officer: officer.clone() };
        let published = Some(Published::Returned { why, officer });
        Ok(Step { call: self, settled, published, alert: None })
    }

    /// Time passes: a call that has waited for too long, and that nobody is left to be offered, goes back: to be asked
    /// after a matching. One on offer may still be answered.
    #[must_use]
    pub fn overdue(mut self, now: DateTime<Utc>) -> Option<Step> {
        if self.state != State::Queued || now < self.waits.until {
            return None;
        }
        let why = Why::WaitLimit;
        self.passes.clear();
        self.state = State::Returned { why, officer: None };
        let published = Some(Published::Returned { why, officer: None });
        Some(Step { call: self, settled: None, published, alert: None })
    }
}
