//! The proof that somebody's presence is on the record, without which the media core takes no viewer and no answer goes out.

use ids::{ParticipantId, SessionId};
use uuid::Uuid;

/// A place in a call, on the record. Made where a presence is committed (`app`), and nowhere else: a test in
/// `tests/architecture` sees to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seat {
    session: SessionId,
    participant: ParticipantId,
    presence: Uuid,
}

impl Seat {
    /// Of a presence that is written down.
    pub(crate) fn recorded(session: SessionId, participant: ParticipantId, presence: Uuid) -> Self {
        Self { session, participant, presence }
    }

    /// On no record: for tests of a media core that stands alone.
    #[doc(hidden)]
    #[must_use]
    pub fn unrecorded(session: SessionId, participant: ParticipantId) -> Self {
        Self::recorded(session, participant, Uuid::nil())
    }

    /// In which session.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// Whose.
    #[must_use]
    pub fn participant(&self) -> ParticipantId {
        self.participant
    }

    /// The row that says so.
    #[must_use]
    pub fn presence(&self) -> Uuid {
        self.presence
    }
}
