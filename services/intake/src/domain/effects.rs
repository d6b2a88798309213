//! What a transition asks the edge to do.

use ids::{FastTrackId, IncidentRef, OfficerId};

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
