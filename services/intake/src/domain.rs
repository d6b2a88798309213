//! The call, from the control room's first word to the sealed exhibit. Pure: transitions consume the call, take `now`,
//! and return the new call with what it asks the edge to publish and to tell.
//!
//! Commands of the control room can be refused. Facts of the other services can't: three streams bring them, so one may
//! overtake another, and what comes late is recorded as far as it still means something (`Heard` says how far).

mod callback;
mod consent;
mod effects;
mod eligibility;
mod facts;
mod fast_track;
mod follow_up;
mod force;
mod help;
mod location;
mod needs;
mod returned;
mod stage;
mod subject;
#[cfg(test)]
mod tests;
mod triage;
mod values;

use chrono::{DateTime, Utc};
use ids::{CallId, ForceId, IncidentRef, OfficerId};
use serde::{Deserialize, Serialize};

use facts::step;

pub use callback::{CallbackNews, CallbackState, Tried};
pub use consent::{Consent, ConsentKind, Consents, Each};
pub use effects::{Effects, Event};
pub use eligibility::{BadRules, Reason, Route, Rules, Verdict, judge};
pub use fast_track::{FastTrack, FastTrackNews, Stand, Taken, Wish};
pub use follow_up::Rung;
pub use force::{ForceNews, ForceUpdate};
pub use help::{Graded, Help, ReferralNews, ReferralStand};
pub use location::{Location, Shown};
pub use needs::{Gender, Needs, Silent, Vulnerability};
pub use returned::{Back, instead};
pub use stage::{Stage, Stages};
pub use subject::Subject;
pub use triage::Occasion;
pub use values::*;

/// One 999 or 101 call. The caller's number is no part of it: no decision needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its id, in every service.
    pub id: CallId,
    /// Whose it is.
    pub force: ForceId,
    /// How it came.
    pub line: Line,
    /// The force's own reference.
    pub incident: IncidentRef,
    /// The first call, of a follow-up.
    pub follow_up_of: Option<CallId>,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// Where it stands.
    pub state: State,
    /// How many triages were taken.
    pub triages: u32,
    /// The consents as they stand; they outlive a triage that is taken again.
    pub consents: Consents,
    /// The exhibit, from its sealing on, whatever the state: it may be heard of before the end is.
    pub seal: Option<Seal>,
    /// The last sequence told.
    pub told: u64,
}

/// Where a call stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// Opened, and no more.
    Open,
    /// Found eligible, and has agreed to nothing yet.
    Triaged(Fit),
    /// Found not eligible.
    Ineligible {
        /// Why.
        reason: Reason,
    },
    /// Eligible, and has agreed to something.
    Consented(Fit),
    /// Waiting for an officer. What the desk was told stays as it was told.
    TransferRequested(Fit),
    /// An officer has it.
    WithDesk(Desk),
    /// The session is over.
    Closed {
        /// As the session gave it.
        reason: String,
        /// Something was recorded.
        recorded: bool,
        /// Who had it.
        desk: Desk,
    },
    /// The desk gave it back.
    Returned {
        /// As the desk gave it.
        why: String,
        /// Its caller is to be rung back.
        #[serde(default)]
        awaits_call_back: bool,
    },
    /// The control room took it back.
    Cancelled {
        /// The desk has let go of it: until then an officer may turn out to have been quicker.
        confirmed: bool,
    },
}

/// The call at the desk.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Desk {
    /// Unknown while the session was heard of before the accept.
    pub officer: Option<OfficerId>,
    /// The caller was seen and heard.
    pub caller_joined: bool,
    /// The desk has given the call back.
    #[serde(default)]
    pub returned: bool,
    /// Who had the call before a sergeant gave it to another officer: they are with the caller until that one has joined.
    #[serde(default)]
    pub before: Option<OfficerId>,
    /// The caller was rung back, on a number that may not be the one they called from.
    #[serde(default)]
    pub called_back: bool,
}

/// Why a command is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Triage comes first.
    #[error("the call has not been triaged")]
    NotTriaged,
    /// The last triage says no.
    #[error("the last triage found that the call can't come to the desk")]
    NotEligible(Reason),
    /// Refused, or never asked.
    #[error("the caller has not agreed to video")]
    NoVideoConsent,
    /// Nothing to take back.
    #[error("the desk is not being asked for this call")]
    NotRequested,
    /// Nobody is to be rung about it: it goes on, or no officer has had it.
    #[error("the call is not closed")]
    NotOver,
    /// Over, one way or another.
    #[error("the call is over")]
    Closed,
    /// An officer goes by what was found before: finding something else needs a reason and a name.
    #[error("a re-assessment while an officer has the call needs a reason and who took it")]
    NoReason,
    /// Another officer's, or nobody's yet.
    #[error("the officer does not have this call")]
    NotYours,
}

/// A fact from another service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// In the queue, at this place.
    Queued(Place),
    /// On offer.
    Offered,
    /// An officer has it.
    Accepted(OfficerId),
    /// Another officer has it by now.
    Reassigned(OfficerId),
    /// An officer has reached the caller of one that had come back.
    CalledBack(OfficerId),
    /// The caller is to be rung back, or what became of it.
    Callback(CallbackNews),
    /// Out of the queue, with no officer.
    Abandoned(String),
    /// The control room's again, out of the queue or in mid-call.
    Returned(Back),
    /// There is a code to read out.
    InvitationIssued,
    /// The caller's media flows.
    CallerJoined,
    /// The caller has covered the call, or is back.
    Cover(bool),
    /// The caller asks for help without saying so, or the officer has seen it.
    Duress(Duress),
    /// The officer asks for somebody to be sent.
    FastTrack(FastTrackNews),
    /// The desk has set help going.
    Help(Help),
    /// The session is over.
    SessionEnded {
        /// Why.
        reason: String,
        /// Whether anything was recorded.
        recorded: bool,
    },
}

/// What a fact did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It changed the call or was told.
    Taken,
    /// It was known.
    Repeated,
    /// It came after what makes it pointless; kept if it still means something.
    Late,
    /// It is about a transfer that was never asked for.
    Unasked,
    /// It contradicts what is recorded: the first stands, and a person has to look.
    Conflict,
}

impl Call {
    /// Opens a call.
    #[must_use]
    pub fn open(id: CallId, force: ForceId, line: Line, incident: IncidentRef, now: DateTime<Utc>) -> (Self, Effects) {
        let opened = Event::CallOpened { line, incident: incident.clone(), follow_up_of: None };
        let call = Self {
            id,
            force,
            line,
            incident,
            follow_up_of: None,
            opened_at: now,
            state: State::Open,
            triages: 0,
            consents: Consents::default(),
            seal: None,
            told: 0,
        };
        (call, Effects { publish: vec![opened], tell: vec![] })
    }

    /// Nothing more is to come: where a watch ends.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match &self.state {
            // An unrecorded call is sealed too: its exhibit says that, and who was there.
            State::Closed { .. } => self.seal.is_some(),
            State::Returned { awaits_call_back, .. } => !awaits_call_back,
            State::Cancelled { confirmed } => *confirmed,
            _ => false,
        }
    }

    /// A new call may be opened for the same incident.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Closed { .. } | State::Returned { .. } | State::Cancelled { .. })
    }

    /// Asks for the desk. Asking again while it is asked for, or has the call, changes nothing.
    ///
    /// # Errors
    /// Not triaged, not eligible, no consent to video, or over.
    pub fn request_transfer(self) -> Result<(Self, Effects), Refusal> {
        self.request_for(None)
    }

    /// Asks for the desk, and there for this officer before anybody else.
    fn request_for(mut self, for_officer: Option<OfficerId>) -> Result<(Self, Effects), Refusal> {
        let fit = match self.state {
            State::Open => return Err(Refusal::NotTriaged),
            State::Ineligible { reason } => return Err(Refusal::NotEligible(reason)),
            State::Triaged(_) => return Err(Refusal::NoVideoConsent),
            State::Consented(fit) if self.consents.video == Some(true) => fit,
            State::Consented(_) => return Err(Refusal::NoVideoConsent),
            // The desk has given it back, and only its end is missing: to say that it is asked for would be untrue.
            State::WithDesk(Desk { returned: true, .. }) => return Err(Refusal::Closed),
            State::TransferRequested(_) | State::WithDesk(_) => return Ok((self, Effects::default())),
            State::Closed { .. } | State::Returned { .. } | State::Cancelled { .. } => return Err(Refusal::Closed),
        };
        let requested = Event::TransferRequested {
            fit: fit.clone(),
            consents: self.consents.clone(),
            incident: self.incident.clone(),
            for_officer,
        };
        self.state = State::TransferRequested(fit);
        Ok((self, Effects { publish: vec![requested], tell: vec![] }))
    }

    /// Takes the call back before an officer has it.
    ///
    /// # Errors
    /// Not asked for, or over.
    pub fn cancel_transfer(mut self, now: DateTime<Utc>) -> Result<(Self, Effects), Refusal> {
        match self.state {
            State::TransferRequested(_) => {}
            State::Closed { .. } | State::Returned { .. } | State::Cancelled { .. } => return Err(Refusal::Closed),
            _ => return Err(Refusal::NotRequested),
        }
        self.state = State::Cancelled { confirmed: false };
        let tell = self.tell(now, [Update::Cancelled]);
        Ok((self, Effects { publish: vec![Event::TransferCancelled], tell }))
    }

    /// Hears a fact. Never fails: at worst it has nothing left to change.
    #[must_use]
    pub fn hear(mut self, fact: Fact, now: DateTime<Utc>) -> (Self, Heard, Effects) {
        let (state, heard, updates) = step(self.state, fact, self.seal.as_ref());
        self.state = state;
        let tell = self.tell(now, updates);
        (self, heard, Effects { publish: vec![], tell })
    }

    /// Hears of the sealing. Recorded at once, told only after the end: a watch hears `ended` before `sealed`
    /// whichever came first.
    #[must_use]
    pub fn hear_sealed(mut self, seal: Seal, now: DateTime<Utc>) -> (Self, Heard, Effects) {
        match &self.seal {
            Some(known) if *known == seal => return (self, Heard::Repeated, Effects::default()),
            Some(_) => return (self, Heard::Conflict, Effects::default()),
            None => self.seal = Some(seal.clone()),
        }
        let ended = matches!(self.state, State::Closed { .. });
        let tell = self.tell(now, ended.then_some(Update::Sealed(seal)));
        (self, Heard::Taken, Effects { publish: vec![], tell })
    }

    fn tell(&mut self, now: DateTime<Utc>, updates: impl IntoIterator<Item = Update>) -> Vec<Told> {
        let numbered = |update| {
            self.told += 1;
            Told { sequence: self.told, at: now, update }
        };
        updates.into_iter().map(numbered).collect()
    }
}
