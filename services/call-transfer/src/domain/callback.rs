//! A caller is rung back, in a window that is safe for them.
//!
//! ```text
//! Agreed -> Due -> Taken{by, until} -> Kept
//!            ^        | no answer, somebody else, no word, nothing said in time
//!            +--------+
//! Agreed | Due | Taken -> Missed       (the window is over, or it isn't safe)
//! Agreed | Due -> Cancelled
//! Taken -> Cancelled                   (the caller agrees to no video any more while somebody rings)
//! ```

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use ids::{CallId, CallbackId, ForceId, OfficerId};

use super::{AlertKind, Call, Hours, Outcome as OfferOutcome, Published, Settled, State, Step, Why, later};

/// The shortest window, and the longest.
const SHORTEST: TimeDelta = TimeDelta::minutes(10);
const LONGEST: TimeDelta = TimeDelta::hours(12);
/// How far ahead it may begin.
const AHEAD: TimeDelta = TimeDelta::days(14);
/// After how long a sergeant hears that nobody rings.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long an officer has to say how it went.
const TAKEN: Duration = Duration::from_secs(900);

/// When it is safe to ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// From then on ...
    pub from: DateTime<Utc>,
    /// ... and before then.
    pub until: DateTime<Utc>,
}

/// How an attempt went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The caller, by the agreed word.
    Reached,
    /// Nobody.
    NoAnswer,
    /// Somebody else.
    SomebodyElse,
    /// Whoever it was did not say the word.
    WordNotGiven,
    /// Nobody is to ring again.
    NotSafe,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Who rang.
    pub officer: OfficerId,
    /// When.
    pub at: DateTime<Utc>,
    /// How it went.
    pub outcome: Outcome,
}

/// Where a call-back stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallbackState {
    /// Its window has not begun.
    Agreed,
    /// Somebody is to ring.
    Due {
        /// When a sergeant hears of it; `None` once they have.
        alert_at: Option<DateTime<Utc>>,
    },
    /// An officer rings.
    Taken {
        /// Who.
        by: OfficerId,
        /// Until then nobody else does.
        until: DateTime<Utc>,
    },
    /// The caller was reached.
    Kept,
    /// They were not.
    Missed,
    /// Nobody is to ring.
    Cancelled,
}

/// A call-back, without what only its officer may know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// Which.
    pub id: CallbackId,
    /// About which call.
    pub call: CallId,
    /// Whose.
    pub force: ForceId,
    /// When it is safe.
    pub window: Window,
    /// BCP 47; empty means English.
    pub language: String,
    /// Oldest first.
    pub attempts: Vec<Attempt>,
    /// Where it stands.
    pub state: CallbackState,
}

/// Why there is none, or not like that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoCallback {
    /// Too short, too long, over, or too far ahead.
    Window,
    /// The desk is closed then.
    Closed,
    /// An officer has the call or had it, or it was taken back.
    NotCallable,
    /// There is one already.
    Agreed,
    /// Its window has not begun.
    NotDue,
    /// Somebody else rings just now.
    Taken,
    /// This officer doesn't ring.
    NotTaken,
    /// Kept, missed or cancelled.
    Over,
    /// The caller has rung again meanwhile, and is at the desk with that call.
    RingsAlready,
}

/// What time, or an officer, made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// As it now is.
    pub callback: Callback,
    /// What a sergeant is told.
    pub alert: Option<AlertKind>,
}

impl Window {
    /// Whether a caller may be promised this.
    ///
    /// # Errors
    /// It is no window, or the desk is closed then.
    pub fn check(&self, hours: &Hours, now: DateTime<Utc>) -> Result<(), NoCallback> {
        let Self { from, until } = *self;
        let long = until - from;
        if long < SHORTEST || long > LONGEST || until <= now || from - now > AHEAD {
            return Err(NoCallback::Window);
        }
        if hours.covers(from.max(now), until) { Ok(()) } else { Err(NoCallback::Closed) }
    }
}

impl Callback {
    /// More is to come of it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state, CallbackState::Agreed | CallbackState::Due { .. } | CallbackState::Taken { .. })
    }

    /// Time passes. `None`: it changes nothing.
    #[must_use]
    pub fn tick(self, now: DateTime<Utc>) -> Option<Turn> {
        let Window { from, until } = self.window;
        let is_late = now >= until;
        match &self.state {
            CallbackState::Agreed | CallbackState::Due { .. } if is_late => Some(self.missed()),
            CallbackState::Agreed if now >= from => Some(self.due(Some(later(now, PATIENCE)))),
            CallbackState::Due { alert_at: Some(at) } if now >= *at => {
                Some(Turn { alert: Some(AlertKind::CallbackDue), ..self.due(None) })
            }
            CallbackState::Taken { until, .. } if now < *until => None,
            CallbackState::Taken { .. } if is_late => Some(self.missed()),
            // Whoever took it never said how it went.
            CallbackState::Taken { .. } => Some(Turn { alert: Some(AlertKind::CallbackDue), ..self.due(None) }),
            _ => None,
        }
    }

    /// An officer rings.
    ///
    /// # Errors
    /// It isn't time, it is over, or somebody else rings.
    pub fn take(mut self, by: &OfficerId, now: DateTime<Utc>) -> Result<Self, NoCallback> {
        match &self.state {
            CallbackState::Taken { by: had, until } if now < *until => {
                return match had == by {
                    false => Err(NoCallback::Taken),
                    // They may go on with whom they have reached, but not ring anew.
                    true if now >= self.window.until => Err(NoCallback::Over),
                    true => Ok(self),
                };
            }
            CallbackState::Agreed if now < self.window.from => return Err(NoCallback::NotDue),
            _ if !self.is_open() || now >= self.window.until => return Err(NoCallback::Over),
            _ => {}
        }
        self.state = CallbackState::Taken { by: by.clone(), until: later(now, TAKEN) };
        Ok(self)
    }

    /// The officer says how it went.
    ///
    /// # Errors
    /// They don't ring, or it is over.
    pub fn tried(mut self, by: &OfficerId, outcome: Outcome, now: DateTime<Utc>) -> Result<Turn, NoCallback> {
        match &self.state {
            CallbackState::Taken { by: had, .. } if had == by => {}
            _ if self.is_open() => return Err(NoCallback::NotTaken),
            _ => return Err(NoCallback::Over),
        }
        self.attempts.push(Attempt { officer: by.clone(), at: now, outcome });
        Ok(match outcome {
            Outcome::Reached => {
                self.state = CallbackState::Kept;
                Turn { callback: self, alert: None }
            }
            Outcome::NotSafe => self.missed(),
            _ if now >= self.window.until => self.missed(),
            _ => self.due(Some(later(now, PATIENCE))),
        })
    }

    /// Nobody is to ring.
    ///
    /// # Errors
    /// Somebody does, or it is over.
    pub fn cancel(mut self) -> Result<Self, NoCallback> {
        match self.state {
            CallbackState::Agreed | CallbackState::Due { .. } => {}
            CallbackState::Taken { .. } => return Err(NoCallback::Taken),
            _ => return Err(NoCallback::Over),
        }
        self.state = CallbackState::Cancelled;
        Ok(self)
    }

    /// The caller takes their yes to video back: nobody is to ring for it, and who rings just now is to leave it at that.
    #[must_use]
    pub fn forgone(mut self) -> Option<Self> {
        if !self.is_open() {
            return None;
        }
        self.state = CallbackState::Cancelled;
        Some(self)
    }

    fn due(mut self, alert_at: Option<DateTime<Utc>>) -> Turn {
        self.state = CallbackState::Due { alert_at };
        Turn { callback: self, alert: None }
    }

    fn missed(mut self) -> Turn {
        self.state = CallbackState::Missed;
        Turn { callback: self, alert: Some(AlertKind::CallbackMissed) }
    }
}

impl Call {
    /// It went back before an officer had it.
    #[must_use]
    pub fn may_be_called_back(&self) -> bool {
        matches!(self.state, State::Returned { officer: None, .. })
    }

    /// Its caller is to be rung back: one that waits leaves the queue, one that went back stays where it is.
    ///
    /// # Errors
    /// An officer has it or had it, or it was taken back: what was agreed and recorded with it stands.
    pub fn to_call_back(self) -> Result<Option<Step>, NoCallback> {
        match &self.state {
            State::Queued => Ok(Some(self.give_back(Why::CallBack, None))),
            State::Offered(offer) => {
                let settled = Settled { nth: offer.nth, outcome: OfferOutcome::Withdrawn, reason: None };
                Ok(Some(self.give_back(Why::CallBack, Some(settled))))
            }
            State::Returned { officer: None, .. } => Ok(None),
            State::Accepted { .. } | State::Ended { .. } | State::Abandoned | State::Returned { .. } => {
                Err(NoCallback::NotCallable)
            }
        }
    }

    /// Its caller was reached: it is this officer's, as if from the queue.
    ///
    /// # Errors
    /// It is not one that went back without an officer.
    pub fn reached(mut self, officer: &OfficerId, now: DateTime<Utc>) -> Result<Step, NoCallback> {
        if !matches!(self.state, State::Returned { officer: None, .. }) {
            return Err(NoCallback::NotCallable);
        }
        self.state = State::Accepted { officer: officer.clone(), at: now };
        let published = Some(Published::CalledBack(officer.clone()));
        Ok(Step { call: self, settled: None, published, alert: None })
    }
}
