//! Who is in the call: their roles, and whether they wait, are in, or were sent away.
//!
//! A person has one row from their coming to their being sent away, however often they come back in between. Whoever is
//! asked back after that is somebody new, so that no time on the record is ever written over.

use chrono::{DateTime, Utc};
use ids::{OfficerId, ParticipantId, TrackName};

/// How many may be in a call. Caller and officer have a place each, whoever else is there.
pub const MOST_IN: usize = 6;

/// What a person is in the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Whoever the call is for.
    Caller,
    /// The desk officer who accepted.
    Officer,
    /// A sergeant or specialist, who sees and hears and sends nothing.
    Observer,
    /// Who makes the others understand each other.
    Interpreter,
    /// An adult at a child's side.
    Supporter,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Caller, Self::Officer, Self::Observer, Self::Interpreter, Self::Supporter];

    /// As track names and the database spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Officer => "officer",
            Self::Observer => "observer",
            Self::Interpreter => "interpreter",
            Self::Supporter => "supporter",
        }
    }

    /// The role spelt so, if there is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// Is it one of the two whom the call is about? There is one of each at a time, and they are let in as they come: the
    /// officer who accepted, and whoever was read the caller's code.
    #[must_use]
    pub fn is_principal(self) -> bool {
        matches!(self, Self::Caller | Self::Officer)
    }

    /// Has it a picture and a voice of its own?
    #[must_use]
    pub fn publishes(self) -> bool {
        self != Self::Observer
    }

    /// Is it asked in by a spoken code? Staff join as who they are signed in as.
    #[must_use]
    pub fn comes_by_code(self) -> bool {
        matches!(self, Self::Caller | Self::Interpreter | Self::Supporter)
    }
}

/// Where a person stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// May follow the events, and nothing else, until the officer lets them in.
    Waiting,
    /// In the call.
    In,
    /// Sent away.
    Removed,
}

/// One person of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// Names the person on the wire.
    pub id: ParticipantId,
    /// What they are in the call.
    pub role: Role,
    /// Who they are, if they are staff.
    pub staff: Option<OfficerId>,
    /// When they first came.
    pub came_at: DateTime<Utc>,
    /// When they were let in.
    pub admitted_at: Option<DateTime<Utc>>,
    /// When they were sent away.
    pub removed_at: Option<DateTime<Utc>>,
    /// The number in the name of the newest track of theirs; 0 before the first.
    pub publications: u32,
    /// The publication whose media is flowing, if one is.
    pub flowing: Option<u32>,
    /// When media of theirs last stopped flowing.
    pub last_seen: Option<DateTime<Utc>>,
    /// They watch somebody, as the record has it.
    pub watching: bool,
}

impl Participant {
    /// Somebody who has just come, and was not let in yet.
    pub(super) fn arriving(id: ParticipantId, role: Role, staff: Option<OfficerId>, now: DateTime<Utc>) -> Self {
        Self {
            id,
            role,
            staff,
            came_at: now,
            admitted_at: None,
            removed_at: None,
            publications: 0,
            flowing: None,
            last_seen: None,
            watching: false,
        }
    }

    /// Where they stand, and since when.
    #[must_use]
    pub fn standing(&self) -> (Standing, DateTime<Utc>) {
        match (self.removed_at, self.admitted_at) {
            (Some(removed_at), _) => (Standing::Removed, removed_at),
            (None, Some(admitted_at)) => (Standing::In, admitted_at),
            (None, None) => (Standing::Waiting, self.came_at),
        }
    }

    /// Are they in the call?
    #[must_use]
    pub fn is_in(&self) -> bool {
        self.standing().0 == Standing::In
    }

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

/// Is it a caller's, this track?
#[must_use]
pub fn is_callers(track: &TrackName) -> bool {
    track.as_str().rsplit_once('-').is_some_and(|(role, _)| role == Role::Caller.as_str())
}

/// The number in a track name of ours.
#[must_use]
pub fn publication_number(track: &TrackName) -> Option<u32> {
    track.as_str().rsplit_once('-')?.1.parse().ok()
}
