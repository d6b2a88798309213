//! What a publication's file doesn't show: what never came, and what changed. Becomes the gap ledger.

use chrono::{DateTime, Utc};
use ids::{ParticipantId, SessionId, TrackName};

use super::{Counters, EndedWhy};
use crate::domain::Remark;

/// Sound or picture, as the ledger spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// Sound.
    Audio,
    /// Picture.
    Video,
}

/// Why somebody sends no picture or no sound, in their page's words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// They want it so.
    #[default]
    Choice,
    /// Their signal carries no more.
    Signal,
    /// Their phone has taken it from the page: a phone call, or another app.
    Taken,
}

/// Something noted about a publication that is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// The session.
    pub session: SessionId,
    /// Who publishes.
    pub participant: ParticipantId,
    /// Its track.
    pub track: TrackName,
    /// When it was noted: for what never came, when it was given up.
    pub at: DateTime<Utc>,
    /// What.
    pub what: What,
}

/// What was noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The first media came, and is in these codecs.
    Began {
        /// `vp8` or `h264`; `None`: no picture was offered.
        video: Option<&'static str>,
        /// `opus`; `None`: no sound was offered.
        audio: Option<&'static str>,
        /// Its session's recording was paused before.
        paused: bool,
    },
    /// RTP packets that never came, repairs included.
    Lost {
        /// Of which stream.
        medium: Medium,
        /// The first one's sequence number.
        first: u16,
        /// How many in a row.
        packets: u64,
    },
    /// A frame was left out because a part of it is missing.
    BrokenFrame,
    /// Pictures were left out because no key frame had come before them; it came at [`Noted::at`], or nothing more did.
    NoKeyFrame {
        /// When the first of them came.
        since: DateTime<Utc>,
        /// How many.
        frames: u64,
    },
    /// No packet at all for more than two seconds: paused, muted on the way, or out of reach.
    Silent {
        /// Which stream.
        medium: Medium,
        /// When the last packet before came; it ended at [`Noted::at`].
        since: DateTime<Utc>,
    },
    /// The picture has this size from here on.
    Size {
        /// Pixels.
        width: u16,
        /// Pixels.
        height: u16,
    },
    /// Their page sends none of this from here on.
    TurnedOff {
        /// Which stream.
        medium: Medium,
        /// Why.
        why: Why,
        /// The same in their words, if they said any: for the exhibit, and for nothing else.
        reason: Option<Remark>,
    },
    /// Their page sends this again.
    TurnedOn {
        /// Which stream.
        medium: Medium,
    },
    /// The connection was lost.
    Disconnected,
    /// The connection is back, or there for the first time.
    Connected,
    /// It is over.
    Ended {
        /// Why.
        why: EndedWhy,
        /// What became of its packets.
        counters: Counters,
    },
}
