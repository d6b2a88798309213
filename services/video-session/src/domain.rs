//! The video call as a state machine: `Invited -> Joined -> Live -> Ended{reason}`. Pure: takes `now`, gives back the
//! new state and the facts to publish.
//!
//! The state only goes forward. Who is connected this second is a participant's matter: a phone that loses its network
//! for ten seconds has not left `Live`. Facts of the media core may come late, twice or for a publication that has
//! been replaced; they are then without effect, and that is no error.

mod code;
mod invitation;
mod session;

pub use code::{Code, CodeMalformed, SELECTOR_SYMBOLS};
pub use invitation::{CODE_LIFETIME, Invitation, Refused, TRIES, Tried};
pub use session::{Accepted, Patience, Session};

use chrono::{DateTime, Utc};
use ids::{ParticipantId, TrackName};

/// Where the call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The session is made; the caller's media has never flowed.
    Invited,
    /// The caller's media has flowed, the officer's has not yet.
    Joined,
    /// Both have flowed.
    Live,
    /// Over, for good.
    Ended(Ending),
}

/// How and when the call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// Why.
    pub reason: EndReason,
    /// When it was decided.
    pub at: DateTime<Utc>,
}

/// Why a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// The officer ended it.
    OfficerEnded,
    /// The caller left for good.
    CallerLeft,
    /// Nobody was there for a minute.
    BothGone,
}

impl EndReason {
    /// As the contract and the database spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OfficerEnded => "OFFICER_ENDED",
            Self::CallerLeft => "CALLER_LEFT",
            Self::BothGone => "BOTH_GONE",
        }
    }

    /// The reason spelt so, if there is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::OfficerEnded, Self::CallerLeft, Self::BothGone].into_iter().find(|reason| reason.as_str() == text)
    }
}

/// What a person is in the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Whoever the call is for.
    Caller,
    /// The desk officer who accepted.
    Officer,
}

impl Role {
    /// As track names, pages and the database spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Officer => "officer",
        }
    }

    /// The role spelt so, if there is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Caller, Self::Officer].into_iter().find(|role| role.as_str() == text)
    }
}

/// One person of a session. A person has one row for the whole call, however often they come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// Names the person on the wire.
    pub id: ParticipantId,
    /// Caller or officer; at most one of each.
    pub role: Role,
    /// How many times they have begun to publish; the last one's number.
    pub publications: u32,
    /// The publication whose media is flowing, if one is.
    pub flowing: Option<u32>,
    /// When media of theirs last stopped flowing.
    pub last_seen: Option<DateTime<Utc>>,
}

impl Participant {
    /// The name of this person's nth publication: "caller-2".
    #[must_use]
    pub fn track(&self, number: u32) -> TrackName {
        #[expect(clippy::expect_used, reason = "a role's word, a hyphen and digits are within TrackName's alphabet")]
        format!("{}-{number}", self.role.as_str()).parse().expect("role-number is a track name")
    }

    /// The track whose media is flowing.
    #[must_use]
    pub fn flowing_track(&self) -> Option<TrackName> {
        self.flowing.map(|number| self.track(number))
    }
}

/// The number in a track name of ours.
#[must_use]
pub fn publication_number(track: &TrackName) -> Option<u32> {
    track.as_str().rsplit_once('-')?.1.parse().ok()
}

/// What a transition tells the other services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A code can be read out.
    InvitationIssued {
        /// Until when.
        expires_at: DateTime<Utc>,
    },
    /// The caller is seen and heard, for the first time: the voice line may be released.
    CallerJoined,
    /// Someone's media flows (again).
    ParticipantJoined {
        /// Who.
        participant: ParticipantId,
        /// As what.
        role: Role,
    },
    /// Someone's media flows no more.
    ParticipantLeft {
        /// Who.
        participant: ParticipantId,
        /// As what.
        role: Role,
    },
}

/// A command that the state doesn't allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Illegal {
    /// Somebody else accepted this call.
    #[error("the call is another officer's")]
    NotYourCall,
    /// Nothing more happens in an ended session.
    #[error("the session has ended")]
    SessionEnded,
    /// A second code would let a second person in.
    #[error("the caller is already in the call")]
    CallerAlreadyJoined,
    /// The person isn't in this session.
    #[error("no such participant in this session")]
    UnknownParticipant,
}
