//! The exhibit's way from open to sealed, and what may be asked of it when. Pure: takes `now`, returns the new state.
//!
//! Without a timestamp authority, which only the development profile allows, `Timestamped` holds `None`, which says "not
//! configured". Nothing stands in for a token that doesn't exist.

pub mod addendum;
pub mod consents;
mod declaration;
pub mod retention;
pub mod tombstone;

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, Utc};
use exhibit::{Digest, tlog};
use ids::{CallId, ExhibitId, ForceId, IncidentRef, TrackName};

pub use declaration::{Declaration, Declared, Readiness};

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

    /// That of a part of the same exhibit: the parent's with another last number.
    #[must_use]
    pub fn part(&self, part: u32) -> Self {
        let stem = self.0.rsplit_once('/').map_or(self.0.as_str(), |(stem, _)| stem);
        Self(format!("{stem}/{part}"))
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

/// One call's exhibit, or an addendum to it.
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
    /// What it is an addendum to.
    pub parent: Option<ExhibitId>,
    /// 1 for the call's own exhibit, 2, 3 ... for addenda.
    pub part: u32,
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
    /// The log's proof is here.
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
    /// The authority's whole answer (RFC 3161); `None`: no authority configured.
    pub token: Option<Vec<u8>>,
}

/// See [`State::Logged`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// What came before.
    pub timestamped: Timestamped,
    /// When the step was done.
    pub at: DateTime<Utc>,
    /// That the seal is in the log: the text of `proof/seal.tlog-proof`.
    pub proof: String,
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
    /// An addendum was sealed.
    AddendumSealed {
        /// What it is one to.
        parent: ExhibitId,
        /// SHA-256 of the detached signature.
        seal: Digest,
    },
    /// An exhibit's key was destroyed.
    Disposed {
        /// SHA-256 of the tombstone's signature.
        tombstone: Digest,
    },
}

impl Timestamped {
    /// What is put into the log.
    #[must_use]
    pub fn entry(&self, exhibit: ExhibitId) -> tlog::Entry {
        tlog::Entry::Seal { exhibit, seal: self.signed.seal, timestamp: self.token.as_deref().map(Digest::of) }
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

    /// Where the seal is in the log, once it is.
    #[must_use]
    pub fn log_index(&self) -> Option<u64> {
        let logged = match self {
            Self::Logged(logged) => logged,
            Self::Sealed(sealed) => &sealed.logged,
            _ => return None,
        };
        tlog::Proof::parse(&logged.proof).ok().map(|proof| proof.index)
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
        let (parent, part, state) = (None, 1, State::Open);
        (Self { id, call, force, reference, incident, opened_at: now, parent, part, state }, Event::Opened)
    }

    /// A new addendum to this exhibit: the `part`th of its call. Nobody is told before it is sealed: for others a call has
    /// one exhibit.
    #[must_use]
    pub fn addendum(&self, id: ExhibitId, part: u32, now: DateTime<Utc>) -> Self {
        Self {
            id,
            reference: self.reference.part(part),
            opened_at: now,
            parent: Some(self.id),
            part,
            state: State::Open,
            ..self.clone()
        }
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

    /// The signature was made. One that was made while our clock was ahead, and that nobody has vouched for yet, gives way to another: it
    /// would seem to have been made after it was stamped.
    ///
    /// # Errors
    /// Only a manifested exhibit is signed, or one whose signature is of a time that hasn't come.
    pub fn sign(self, seal: Digest, now: DateTime<Utc>) -> Result<Self, Illegal> {
        match self.state {
            State::Manifested(manifested) => {
                Ok(Self { state: State::Signed(Signed { manifested, at: now, seal }), ..self })
            }
            State::Signed(Signed { manifested, at, .. }) if at > now => {
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

    /// The log covers the seal, and here is the proof.
    ///
    /// # Errors
    /// Only a timestamped exhibit is logged.
    pub fn log(self, proof: String, now: DateTime<Utc>) -> Result<Self, Illegal> {
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
                let (seal, missing) = (signed.seal, signed.manifested.fenced.missing);
                let event = match self.parent {
                    None => Event::Sealed { seal, missing },
                    Some(parent) => Event::AddendumSealed { parent, seal },
                };
                Ok((Self { state: State::Sealed(Sealed { logged, at: now }), ..self }, event))
            }
            other => Err(other.illegal("sealed")),
        }
    }
}

#[cfg(test)]
mod tests;
