//! What a force's control room must see without knowing of the call: that there is one, that somebody in it asks for
//! help, that its officer asks for somebody to be sent, and that it has come back to them or is over.

use ids::{CallId, IncidentRef};
use serde::{Deserialize, Serialize};

use super::{Duress, Effects, Event, FastTrackNews, Line, Seal, State, Update};

/// One thing that happened to one of a force's calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ForceUpdate {
    /// Opened.
    Opened {
        /// By which line.
        line: Line,
        /// The first call, of a follow-up: nobody in the control room has its caller on the line.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        follow_up_of: Option<CallId>,
    },
    /// The caller asks for help without saying so, or the officer has seen it.
    Duress(Duress),
    /// The officer asks for somebody to be sent, and how that fares.
    FastTrack(FastTrackNews),
    /// The caller is the control room's again.
    Returned {
        /// As the desk gave it.
        why: String,
    },
    /// The desk has let go of a call that was taken back.
    Abandoned {
        /// As the desk gave it.
        reason: String,
    },
    /// Taken back by the control room.
    Cancelled,
    /// The session is over.
    Ended {
        /// As the session gave it.
        reason: String,
    },
    /// What was recorded is sealed.
    Sealed(Seal),
}

/// An update, and the call that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForceNews {
    /// Alcove's id of it.
    pub call: CallId,
    /// The force's own reference.
    pub incident: IncidentRef,
    /// What happened.
    pub update: ForceUpdate,
}

impl Effects {
    /// What of this is for the whole force, given the state that the call is now in.
    #[must_use]
    pub fn for_force(&self, state: &State) -> Vec<ForceUpdate> {
        let opened = self.publish.iter().filter_map(|event| match event {
            Event::CallOpened { line, follow_up_of, .. } => {
                Some(ForceUpdate::Opened { line: *line, follow_up_of: *follow_up_of })
            }
            Event::ConsentRecorded { .. }
            | Event::FollowUpStarted { .. }
            | Event::TransferRequested { .. }
            | Event::TransferCancelled
            | Event::FastTrackAcknowledged { .. }
            | Event::FastTrackEscalated { .. } => None,
        });
        let told = self.tell.iter().filter_map(|told| match told.update.clone() {
            Update::Duress(duress) => Some(ForceUpdate::Duress(duress)),
            Update::FastTrack(news) => Some(ForceUpdate::FastTrack(news)),
            Update::Abandoned { reason } => Some(match state {
                State::Returned { .. } => ForceUpdate::Returned { why: reason },
                _ => ForceUpdate::Abandoned { reason },
            }),
            Update::Returned { reason, .. } => Some(ForceUpdate::Returned { why: reason }),
            Update::Cancelled => Some(ForceUpdate::Cancelled),
            Update::Ended { reason } => Some(ForceUpdate::Ended { reason }),
            Update::Sealed(seal) => Some(ForceUpdate::Sealed(seal)),
            // The way of a call that goes well: whoever watches the call is told.
            Update::Queued(_)
            | Update::Offered
            | Update::Accepted { .. }
            | Update::InvitationReady
            | Update::CallerJoined
            | Update::Callback(_)
            | Update::Covered
            | Update::Uncovered
            | Update::ConsentChanged { .. }
            | Update::RiskGraded(_)
            | Update::Referral(_) => None,
        });
        opened.chain(told).collect()
    }
}
