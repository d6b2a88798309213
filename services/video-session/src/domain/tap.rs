//! What a caller's page says of its cover, and what is known of it: all that the media core goes by.

use ids::{ParticipantId, SessionId};

/// What a caller's page says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tap {
    /// It is covered.
    Away,
    /// It shows the call again.
    Back,
}

/// What the rows say of a session's cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Covering {
    /// Of which session.
    pub session: SessionId,
    /// Who covers it, if the caller is there.
    pub caller: Option<ParticipantId>,
    /// It is covered.
    pub is_on: bool,
    /// The newest tap that the rows have heard of, as the page counts them.
    pub n: u32,
    /// It is recorded meanwhile, too.
    pub is_recorded: bool,
}
