//! The exhibit's way from open to sealed, and what may be asked of it when. Pure: takes `now`, returns the new state.
//!
//! There is no timestamp authority and no transparency log yet: `Timestamped` and `Logged` are passed through with
//! `None`, which says "not configured". Nothing stands in for a token that doesn't exist.

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, TimeDelta, Utc};
use exhibit::Digest;
use ids::{CallId, ExhibitId, ForceId, IncidentRef, ParticipantId, SessionId, TrackName};

/// What a statement cites: `ALC/7F3K9Q2M/1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference(String);

impl Reference {
    /// Makes one out of 40 random bits (Crockford base 32: no I, L, O or U to misread).
    #[must_use]
    pub fn from_random(bytes: [u8; 5]) -> Self {
        const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let bits = bytes.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        let letters = (0..8).rev().map(|i| char::from(ALPHABET[(bits >> (5 * i)) as usize & 31]));
        Self(format!("ALC/{}/1", letters.collect::<String>()))
    }

    /// One that was made before, as its row has it.
    #[must_use]
    pub fn from_row(text: String) -> Self {
        Self(text)
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One call's exhibit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exhibit {
    /// Its id.
    pub id: ExhibitId,
    /// The call it belongs to.
    pub call: CallId,
    /// The force it belongs to.
    pub force: ForceId,
    /// What a statement cites.
    pub reference: Reference,
    /// The force's own number.
    pub incident: IncidentRef,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// How far it has come.
    pub state: State,
}

/// Each state carries all that the earlier ones established.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Takes segments.
    Open,
    /// Takes no more; the high-water marks are set.
    Fenced(Fenced),
    /// Everything was read back, and the manifest is written.
    Manifested(Manifested),
    /// The signature is made and checked.
    Signed(Signed),
    /// The authority's token is here, or there is no authority.
    Timestamped(Timestamped),
    /// The log's proof is here, or there is no log.
    Logged(Logged),
    /// Done.
    Sealed(Sealed),
}

/// See [`State::Fenced`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fenced {
    /// When the fence came down.
    pub at: DateTime<Utc>,
    /// Segments let in, by track.
    pub marks: BTreeMap<TrackName, u64>,
    /// Segments that were declared and never came.
    pub missing: u64,
}

/// See [`State::Manifested`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifested {
    /// What came before.
    pub fenced: Fenced,
    /// When the manifest was written.
    pub at: DateTime<Utc>,
    /// SHA-256 of `tagmanifest-sha256.txt`, the file that is signed.
    pub tagmanifest: Digest,
}

/// See [`State::Signed`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// What came before.
    pub manifested: Manifested,
    /// When it was signed.
    pub at: DateTime<Utc>,
    /// SHA-256 of the detached signature.
    pub seal: Digest,
}

/// See [`State::Timestamped`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timestamped {
    /// What came before.
    pub signed: Signed,
    /// When the step was done.
    pub at: DateTime<Utc>,
    /// The RFC 3161 token; `None`: no authority configured.
    pub token: Option<Vec<u8>>,
}

/// See [`State::Logged`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// What came before.
    pub timestamped: Timestamped,
    /// When the step was done.
    pub at: DateTime<Utc>,
    /// The inclusion proof; `None`: no log configured.
    pub proof: Option<Vec<u8>>,
}

/// See [`State::Sealed`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// What came before.
    pub logged: Logged,
    /// When it was done.
    pub at: DateTime<Utc>,
}

/// A step that the exhibit's state doesn't allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an exhibit that is {from} can't be {to}")]
pub struct Illegal {
    /// The state it is in.
    pub from: &'static str,
    /// The state that was asked for.
    pub to: &'static str,
}

/// What happened, for others to hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// An exhibit was opened.
    Opened,
    /// An exhibit was sealed.
    Sealed {
        /// SHA-256 of the detached signature.
        seal: Digest,
        /// Segments that were declared and never came.
        missing: u64,
    },
}

/// What video-session said when the session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// The session.
    pub session: SessionId,
    /// OFFICER_ENDED, CALLER_LEFT or BOTH_GONE.
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
    /// `caller` or `officer`.
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

impl State {
    /// Its name, as in the index and in messages.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Fenced(_) => "fenced",
            Self::Manifested(_) => "manifested",
            Self::Signed(_) => "signed",
            Self::Timestamped(_) => "timestamped",
            Self::Logged(_) => "logged",
            Self::Sealed(_) => "sealed",
        }
    }

    /// The signature's digest, once there is one.
    #[must_use]
    pub fn seal(&self) -> Option<Digest> {
        match self {
            Self::Open | Self::Fenced(_) | Self::Manifested(_) => None,
            Self::Signed(signed) => Some(signed.seal),
            Self::Timestamped(timestamped) => Some(timestamped.signed.seal),
            Self::Logged(logged) => Some(logged.timestamped.signed.seal),
            Self::Sealed(sealed) => Some(sealed.logged.timestamped.signed.seal),
        }
    }

    fn illegal(&self, to: &'static str) -> Illegal {
        Illegal { from: self.name(), to }
    }
}

impl Exhibit {
    /// A new exhibit.
    #[must_use]
    pub fn open(
        id: ExhibitId,
        call: CallId,
        force: ForceId,
        incident: IncidentRef,
        reference: Reference,
        now: DateTime<Utc>,
    ) -> (Self, Event) {
        (Self { id, call, force, reference, incident, opened_at: now, state: State::Open }, Event::Opened)
    }

    /// Brings the fence down at these marks.
    ///
    /// # Errors
    /// Only an open exhibit can be fenced.
    pub fn fence(self, marks: BTreeMap<TrackName, u64>, missing: u64, now: DateTime<Utc>) -> Result<Self, Illegal> {
        match self.state {
            State::Open => Ok(Self { state: State::Fenced(Fenced { at: now, marks, missing }), ..self }),
            other => Err(other.illegal("fenced")),
        }
    }

    /// Everything was read back and the manifest is written.
    ///
    /// # Errors
    /// Only a fenced exhibit has a manifest made.
    pub fn manifest(self, tagmanifest: Digest, now: DateTime<Utc>) -> Result<Self, Illegal> {
        match self.state {
            State::Fenced(fenced) => {
                Ok(Self { state: State::Manifested(Manifested { fenced, at: now, tagmanifest }), ..self })
            }
            other => Err(other.illegal("manifested")),
        }
    }

    /// The signature was made.
    ///
    /// # Errors
    /// Only a manifested exhibit is signed.
    pub fn sign(self, seal: Digest, now: DateTime<Utc>) -> Result<Self, Illegal> {
        match self.state {
            State::Manifested(manifested) => {
                Ok(Self { state: State::Signed(Signed { manifested, at: now, seal }), ..self })
            }
            other => Err(other.illegal("signed")),
        }
    }

    /// The authority answered, or there is none (`None`).
    ///
    /// # Errors
    /// Only a signed exhibit is timestamped.
    pub fn timestamp(self, token: Option<Vec<u8>>, now: DateTime<Utc>) -> Result<Self, Illegal> {
        match self.state {
            State::Signed(signed) => {
                Ok(Self { state: State::Timestamped(Timestamped { signed, at: now, token }), ..self })
            }
            other => Err(other.illegal("timestamped")),
        }
    }

    /// The log answered, or there is none (`None`).
    ///
    /// # Errors
    /// Only a timestamped exhibit is logged.
    pub fn log(self, proof: Option<Vec<u8>>, now: DateTime<Utc>) -> Result<Self, Illegal> {
        match self.state {
            State::Timestamped(timestamped) => {
                Ok(Self { state: State::Logged(Logged { timestamped, at: now, proof }), ..self })
            }
            other => Err(other.illegal("logged")),
        }
    }

    /// Done.
    ///
    /// # Errors
    /// Only a logged exhibit is sealed.
    pub fn seal(self, now: DateTime<Utc>) -> Result<(Self, Event), Illegal> {
        match self.state {
            State::Logged(logged) => {
                let signed = &logged.timestamped.signed;
                let event = Event::Sealed { seal: signed.seal, missing: signed.manifested.fenced.missing };
                Ok((Self { state: State::Sealed(Sealed { logged, at: now }), ..self }, event))
            }
            other => Err(other.illegal("sealed")),
        }
    }
}

#[cfg(test)]
#[path = "domain_tests.rs"]
mod tests;
