//! What was declared to be coming, and whether the fence may come down before it has.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use ids::{ParticipantId, SessionId, TrackName};

/// What video-session said when the session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// The session.
    pub session: SessionId,
    /// OFFICER_ENDED, RETURNED_TO_CONTROL_ROOM, CALLER_LEFT, BOTH_GONE or VIDEO_CONSENT_WITHDRAWN.
    pub reason: String,
    /// When it began, if it did.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: DateTime<Utc>,
    /// When we heard.
    pub heard_at: DateTime<Utc>,
    /// False: recording was refused.
    pub recorded: bool,
    /// What was recorded.
    pub tracks: BTreeMap<TrackName, Declared>,
}

/// One track as declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// Whose it is.
    pub participant: ParticipantId,
    /// `caller`, `officer`, `interpreter` ...
    pub role: String,
    /// Numbered from 0 to this, exclusive.
    pub segments: u64,
}

/// Whether the fence may come down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// Everything declared is held, or its time has run out: fence, with so many segments missing.
    Fence {
        /// Segments that were declared and never came.
        missing: u64,
    },
    /// Segments are owed; ask again when one comes, or then.
    WaitUntil(DateTime<Utc>),
}

impl Declaration {
    /// Compares what was declared with what is held: waits for what is owed, but no longer than `grace`.
    #[must_use]
    pub fn readiness(&self, held: &BTreeMap<TrackName, u64>, now: DateTime<Utc>, grace: TimeDelta) -> Readiness {
        let owed = |(track, declared): (&TrackName, &Declared)| {
            declared.segments.saturating_sub(held.get(track).copied().unwrap_or(0))
        };
        let missing = self.tracks.iter().map(owed).fold(0_u64, u64::saturating_add);
        let deadline = self.heard_at + grace;
        if missing == 0 || now >= deadline { Readiness::Fence { missing } } else { Readiness::WaitUntil(deadline) }
    }
}
