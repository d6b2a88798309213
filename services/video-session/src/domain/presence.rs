//! A stay in the call: who, with what, from when to when.

use chrono::{DateTime, Utc};
use ids::{ParticipantId, TrackName};
use uuid::Uuid;

/// One stay in the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// Names it.
    pub id: Uuid,
    /// Who.
    pub participant: ParticipantId,
    /// What they were there with.
    pub with: With,
    /// When it was written down, before any media.
    pub began_at: DateTime<Utc>,
    /// When it was over.
    pub ended: Option<Ended>,
}

/// What somebody is in the call with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum With {
    /// A picture and a voice of their own, recorded to this track.
    Track(TrackName),
    /// Their eyes and ears, on this other person.
    Watching(ParticipantId),
}

/// The end of a stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Then.
    At(DateTime<Utc>),
    /// Nobody saw when: by then.
    By(DateTime<Utc>),
}
