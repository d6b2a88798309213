//! The video call as a state machine: `Invited -> Joined -> Live -> Ended{reason}`. Pure: takes `now`, gives back the
//! new state and the facts to publish.
//!
//! The state only goes forward. Who is connected this second is a participant's matter: a phone that loses its network
//! for ten seconds has not left `Live`. Facts of the media core may come late, twice or for a publication that has
//! been replaced; they are then without effect, and that is no error.

mod chapter;
mod chat;
mod code;
mod consents;
mod cover;
mod door;
mod duress;
mod fast_track;
mod illegal;
mod invitation;
mod link;
mod lint;
mod ownership;
mod people;
mod pictures;
mod plea;
mod presence;
mod pretext;
mod recording;
mod remark;
mod session;
mod silent;
mod tap;
mod text;
mod words;

pub use chapter::{Chapter, ChapterKind};
pub use chat::{Content, Line, MOST_A_MINUTE, MOST_CHARACTERS, MOST_LINES, Turn, Unsayable, Wording, Writer};
pub use code::{Code, CodeMalformed, SELECTOR_SYMBOLS};
pub use consents::{Consents, Said};
pub use cover::Cover;
pub use door::{Door, Guesses};
pub use duress::{Duress, Raised, Seen};
pub use fast_track::{Cause, FastTrack, Mark, Risk, Taken};
pub use illegal::Illegal;
pub use invitation::{CODE_LIFETIME, Invitation, Refused, TRIES, Tried, Void, VoidReason, Way};
pub use link::{Link, Presented};
pub use lint::{LINK, Shown, Unsendable, is_forbidden, is_one_message};
pub use ownership::{Address, Claim, Footing, Instance, Lease, Ownership};
pub use people::{MOST_IN, Participant, Role, Standing, is_callers, publication_number};
pub use pictures::MOST_PHOTOGRAPHS;
pub use plea::{Counted, How, Pleas};
pub use presence::{Ended, Presence, With};
pub use pretext::Pretext;
pub use recording::{RecordOrder, Recording};
pub use remark::Remark;
pub use session::{Accepted, Patience, Session};
pub use silent::Silent;
pub use tap::{Covering, Tap};
pub use text::{Asked, Failure, Outcome, Text, TextState};
pub use words::{Catalogue, ENGLISH};

use chrono::{DateTime, Utc};
use ids::{OfficerId, ParticipantId};

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
    /// The caller doesn't agree to video any more.
    VideoConsentWithdrawn,
}

impl EndReason {
    /// As the contract and the database spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OfficerEnded => "OFFICER_ENDED",
            Self::CallerLeft => "CALLER_LEFT",
            Self::BothGone => "BOTH_GONE",
            Self::VideoConsentWithdrawn => "VIDEO_CONSENT_WITHDRAWN",
        }
    }

    /// The reason spelt so, if there is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::OfficerEnded, Self::CallerLeft, Self::BothGone, Self::VideoConsentWithdrawn]
            .into_iter()
            .find(|reason| reason.as_str() == text)
    }
}

/// What a transition tells the other services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A code can be read out to the caller.
    InvitationIssued {
        /// Until when.
        expires_at: DateTime<Utc>,
    },
    /// The caller is seen and heard, for the first time: the voice line may be released.
    CallerJoined,
    /// Someone is in the call.
    ParticipantAdmitted {
        /// Who.
        participant: ParticipantId,
        /// As what.
        role: Role,
    },
    /// Someone was sent away.
    ParticipantRemoved {
        /// Who.
        participant: ParticipantId,
        /// As what.
        role: Role,
    },
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
    /// The recording was paused, goes on, or was stopped for good.
    RecordingChanged {
        /// How it stands.
        recording: Recording,
    },
    /// The caller has covered the call, or is back.
    CoverChanged {
        /// Which.
        covered: bool,
    },
    /// The caller has asked for help without saying so.
    DuressRaised {
        /// How, and when.
        raised: Raised,
    },
    /// An officer has seen it.
    DuressSeen {
        /// What was raised.
        raised: Raised,
        /// Who has.
        by: OfficerId,
    },
    /// The officer asks for somebody to be sent.
    FastTrackRequested {
        /// What was asked.
        fast_track: FastTrack,
    },
    /// The officer keeps a picture of the recording.
    StillCaptured {
        /// The how-manieth.
        number: u32,
    },
    /// The caller has sent a photograph.
    PhotographTaken {
        /// The how-manieth.
        number: u32,
    },
}
