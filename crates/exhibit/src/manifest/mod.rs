//! The manifest: what the exhibit is, in one canonical JSON file. The signature reaches everything through it.
//!
//! Field order and spelling are RFC 8785's; integers are strings; unknown fields are refused, so what a reader doesn't
//! understand can't have been signed unseen.

mod check;
mod item;
mod segments;
pub(crate) mod text;

use chrono::{DateTime, Utc};
use ids::{CallId, ExhibitId, ForceId, IncidentRef, TrackName};
use serde::{Deserialize, Serialize};

pub use item::{ITEMS, Item, ItemFacts, ItemKind, MediaType, Unknown};
pub use segments::{Lister, Segment, Segments};

use crate::{jcs, sha256::Digest};

/// The format's name and version, as the manifest's `format` field says it.
pub const FORMAT: &str = "alcove-exhibit/1";

/// The version of the format. A reader that doesn't know it must refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Format {
    /// [`FORMAT`].
    #[default]
    #[serde(rename = "alcove-exhibit/1")]
    V1,
}

/// What an exhibit is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this format.
    pub format: Format,
    /// The exhibit's id.
    pub exhibit: ExhibitId,
    /// What a statement cites, such as `ALC/7F3K9Q2M/1`.
    pub reference: String,
    /// The call that it came from.
    pub call: CallId,
    /// The force whose exhibit it is.
    pub force: ForceId,
    /// The force's incident.
    #[serde(with = "text::incident")]
    pub incident: IncidentRef,
    /// When the exhibit was opened.
    #[serde(with = "crate::time::text")]
    pub opened_at: DateTime<Utc>,
    /// When the call ended.
    #[serde(with = "crate::time::text")]
    pub ended_at: DateTime<Utc>,
    /// When the last segment could be added: what came later is not in this exhibit.
    #[serde(with = "crate::time::text")]
    pub fenced_at: DateTime<Utc>,
    /// Why the call ended, such as `OFFICER_ENDED`.
    pub end_reason: String,
    /// How it lies in storage; `None` where nothing is encrypted.
    pub encryption: Option<Encryption>,
    /// Of an addendum, what it adds to.
    pub parent: Option<Parent>,
    /// One a recorded participant, by name.
    pub tracks: Vec<Track>,
    /// Everything beside the media, in the order in which it came.
    pub items: Vec<Item>,
    /// Segments that the recorder declared and that this exhibit does not hold, by track and first number.
    pub missing: Vec<Missing>,
    /// 32 random bytes: the manifest's hash says nothing about a call to who doesn't hold the exhibit.
    #[serde(with = "text::salt")]
    pub salt: [u8; 32],
    /// What sealed it, such as `evidence-store 0.1.0`.
    pub software: String,
}

/// How segments and items lie in storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Encryption {
    /// With what: [`Encryption::AES_256_GCM`].
    pub algorithm: String,
    /// Which key wrapped the exhibit's own.
    pub key_id: String,
}

impl Encryption {
    /// The one algorithm of this format.
    pub const AES_256_GCM: &str = "AES-256-GCM";
}

/// The sealed exhibit that an addendum adds to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parent {
    /// Its id.
    pub exhibit: ExhibitId,
    /// Its reference.
    pub reference: String,
    /// SHA-256 of its seal.
    pub seal_sha256: Digest,
    /// Its leaf in the log: the leaf's hash (RFC 6962), not the plain digest of the entry. `None`: it is in no log.
    pub log_entry_sha256: Option<Digest>,
    /// Which log.
    pub log_origin: Option<String>,
    /// The leaf's number in it.
    #[serde(with = "text::optional_integer")]
    pub log_index: Option<u64>,
}

/// One participant's recording: one playable file, made of its segments end to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Track {
    /// Such as `caller-1`.
    pub name: TrackName,
    /// `caller`, `officer` ...
    pub role: String,
    /// Where the file is, from the manifest's own folder. [`Track::path_of`] gives it.
    pub path: String,
    /// Length of the file.
    #[serde(with = "text::integer")]
    pub bytes: u64,
    /// SHA-256 of the whole file.
    pub sha256: Digest,
    /// The list of its segments, which cover the file without gap or overlap.
    pub segments: Segments,
}

/// A range of segments that were declared and are not held, as wide as it can be: neighbours are one range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Missing {
    /// The track. It need not be in `tracks`: perhaps nothing of it arrived.
    pub track: TrackName,
    /// First number not held.
    #[serde(with = "text::integer")]
    pub first_seq: u64,
    /// Last number not held.
    #[serde(with = "text::integer")]
    pub last_seq: u64,
}

/// Why a manifest can't be written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not JSON, not this format, or a field that is unknown, missing or malformed.
    #[error("not a manifest of format {FORMAT}")]
    Malformed(#[source] serde_json::Error),
    /// Right in content, wrong in spelling.
    #[error("not in canonical form (RFC 8785)")]
    NotCanonical,
    /// It contradicts itself.
    #[error("{0}")]
    Inconsistent(String),
    /// A list of segments has something else in this line, counted from 1.
    #[error("line {0} is not a segment as this format writes it")]
    Line(usize),
    /// It has no canonical form.
    #[error("can't be written in canonical form")]
    Unwritable(#[source] jcs::Error),
}

impl Track {
    /// Where a track's file lies, from the manifest's own folder.
    #[must_use]
    pub fn path_of(name: &TrackName) -> String {
        format!("tracks/{name}.mkv")
    }
}

impl Manifest {
    /// The canonical bytes, after checking that the manifest doesn't contradict itself.
    ///
    /// # Errors
    /// [`Error::Inconsistent`] says what contradicts what.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        self.check()?;
        jcs::to_vec(self).map_err(Error::Unwritable)
    }

    /// Reads what [`Manifest::to_bytes`] writes, and nothing else.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let manifest: Self = serde_json::from_slice(bytes).map_err(Error::Malformed)?;
        if jcs::to_vec(&manifest).map_err(Error::Unwritable)? != bytes {
            return Err(Error::NotCanonical);
        }
        manifest.check()?;
        Ok(manifest)
    }

    /// How many segments were declared and are not held.
    #[must_use]
    pub fn missing_segments(&self) -> u64 {
        self.missing.iter().map(|m| (m.last_seq - m.first_seq).saturating_add(1)).fold(0, u64::saturating_add)
    }
}
