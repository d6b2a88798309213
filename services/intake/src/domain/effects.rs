//! What a transition asks the edge to do.

use ids::{CallId, FastTrackId, IncidentRef, OfficerId};

use super::{Consent, Consents, Fit, Line, Taken, Told};

/// What is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A call was opened.
    CallOpened {
        /// By which line.
        line: Line,
        /// The force's own reference.
        incident: IncidentRef,
        /// The first call, of a follow-up.
        follow_up_of: Option<CallId>,
    },
    /// An officer has rung the caller of an earlier call back, and this is the further one.
    FollowUpStarted {
        /// The first of these calls.
        first: CallId,
        /// Who has rung.
        officer: OfficerId,
    },
    /// Consents were taken.
    ConsentRecorded {
        /// Which, and whether given.
        consents: Vec<Consent>,
    },
    /// The desk is asked for.
    TransferRequested {
        /// Who comes.
        fit: Fit,
        /// What may be recorded.
        consents: Consents,
        /// The force's own reference.
        incident: IncidentRef,
        /// Who has the caller on the phone, and is to have the call before anybody else.
        for_officer: Option<OfficerId>,
    },
    /// The desk is asked for no longer.
    TransferCancelled,
    /// Somebody in the control room has taken a fast-track on.
    FastTrackAcknowledged {
        /// Which.
        id: FastTrackId,
        /// How often it was raised until then.
        times: u32,
        /// By whom.
        taken: Taken,
    },
    /// Nobody has in time.
    FastTrackEscalated {
        /// Which.
        id: FastTrackId,
        /// How often it has been raised.
        times: u32,
        /// Who pressed.
        officer: OfficerId,
    },
}

/// What a transition asks the edge to do, with the new state and in its transaction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effects {
    /// For the other services.
    pub publish: Vec<Event>,
    /// For the control room.
    pub tell: Vec<Told>,
}
