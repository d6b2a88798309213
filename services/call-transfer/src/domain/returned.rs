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
    /// It came when the desk was closed, or waited when it closed.
    DeskClosed,
    /// The caller is rung back.
    CallBack,
}

impl Why {
    /// The word in the contract.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WaitLimit => "WAIT_LIMIT",
            Self::ByDesk => "RETURNED_BY_DESK",
            Self::DeskClosed => "DESK_CLOSED",
            Self::CallBack => "CALL_BACK_AGREED",
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

    /// It waits until the desk closes, and no longer.
    #[must_use]
    pub fn until_closing(mut self, closes_at: Option<DateTime<Utc>>) -> Self {
        self.waits.until = closes_at.map_or(self.waits.until, |closes| closes.min(self.waits.until));
        self
    }

    /// The desk is closed: a call that nobody has, and that isn't on offer, goes back. One on offer may still be answered.
    #[must_use]
    pub fn closed(self) -> Option<Step> {
        (self.state == State::Queued).then(|| self.give_back(Why::DeskClosed, None))
    }

    /// Time passes: a call that has waited for too long, and that nobody is left to be offered, goes back: to be asked
    /// after a matching. One on offer may still be answered.
    #[must_use]
    pub fn overdue(self, now: DateTime<Utc>) -> Option<Step> {
        let is_over = self.state == State::Queued && now >= self.waits.until;
        is_over.then(|| self.give_back(Why::WaitLimit, None))
    }

    /// Nobody has it: it goes back, and whoever had it on offer is free again.
    pub(super) fn give_back(mut self, why: Why, settled: Option<Settled>) -> Step {
        self.passes.clear();
        self.state = State::Returned { why, officer: None };
        let published = Some(Published::Returned { why, officer: None });
        Step { call: self, settled, published, alert: None }
    }
}
