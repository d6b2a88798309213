//! What a sergeant should look into.

use ids::OfficerId;

/// Of what kind. Each is kept once a call, with how often it came to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlertKind {
    /// An officer declined the call.
    Declined,
    /// An officer did not answer, or was gone.
    NotAnswered,
    /// It has waited for long.
    WaitsLong,
    /// It goes, or would go, to an officer without a skill that the caller needs.
    NoSkill,
    /// The control room has not taken a fast-track on.
    FastTrack,
    /// The window of a call-back has been open for a while, and nobody rings.
    CallbackDue,
    /// A caller was not reached in the window of their call-back.
    CallbackMissed,
}

/// An alert about a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Of what.
    pub kind: AlertKind,
    /// About whom, if about somebody.
    pub officer: Option<OfficerId>,
}
