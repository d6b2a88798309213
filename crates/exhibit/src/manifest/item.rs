//! An item: a file beside the media, such as a still or a statement. Every version is kept.
//!
//! What is recorded, hashed and chained is one payload: the item's facts and its bytes together. So neither can be exchanged
//! without the other, and who has the manifest and the file can make the payload again.

use chrono::{DateTime, Utc};
use ids::{ExhibitId, TrackName};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::text;
use crate::{chain, jcs, sha256::Digest};

/// The reserved track name that items are chained under.
pub const ITEMS: &str = "items";

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemKind {
    /// A picture taken from the call.
    Still,
    /// What was typed.
    ChatTranscript,
    /// Places in the recording that the officer marked.
    Chapters,
    /// When who could not be heard or seen, and why.
    GapLedger,
    /// What was agreed to, when.
    Consents,
    /// Who was in the call, from when until when.
    Participants,
    /// The officer's risk assessment.
    RiskAssessment,
    /// The officer's statement, or a draft of it.
    Statement,
    /// Later material, in an addendum.
    Other,
}

/// What kind of file an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum MediaType {
    /// Structured text.
    #[serde(rename = "application/json")]
    Json,
    /// Plain text, UTF-8.
    #[serde(rename = "text/plain")]
    Text,
    /// A photograph.
    #[serde(rename = "image/jpeg")]
    Jpeg,
    /// A picture.
    #[serde(rename = "image/png")]
    Png,
    /// A document.
    #[serde(rename = "application/pdf")]
    Pdf,
}

/// The name is none that this format has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not {0} of this format")]
pub struct Unknown(&'static str);

macro_rules! spelled {
    ($name:ident, $what:literal, $($variant:ident = $text:literal,)*) => {
        impl $name {
            /// As the format spells it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl std::str::FromStr for $name {
            type Err = Unknown;

            fn from_str(text: &str) -> Result<Self, Unknown> {
                match text { $($text => Ok(Self::$variant),)* _ => Err(Unknown($what)) }
            }
        }
    };
}

spelled! { ItemKind, "a kind of item",
    Still = "still", ChatTranscript = "chat-transcript", Chapters = "chapters", GapLedger = "gap-ledger",
    Consents = "consents", Participants = "participants", RiskAssessment = "risk-assessment",
    Statement = "statement", Other = "other",
}

spelled! { MediaType, "a media type",
    Json = "application/json", Text = "text/plain", Jpeg = "image/jpeg", Png = "image/png", Pdf = "application/pdf",
}

impl MediaType {
    /// What the file's name ends in.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Text => "txt",
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Pdf => "pdf",
        }
    }
}

/// What is recorded with an item's bytes: the first part of its payload, in canonical JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemFacts {
    /// When it came in.
    #[serde(with = "crate::time::text")]
    pub added_at: DateTime<Utc>,
    /// Length of the file.
    #[serde(with = "text::integer")]
    pub bytes: u64,
    /// The id that it was added under.
    pub id: Uuid,
    /// What it is.
    pub kind: ItemKind,
    /// When it was made, by whoever made it.
    #[serde(with = "crate::time::text")]
    pub made_at: DateTime<Utc>,
    /// What kind of file it is.
    pub media_type: MediaType,
    /// 1 to 64 of `a-z`, `0-9` and `-`.
    pub name: String,
    /// SHA-256 of the file.
    pub sha256: Digest,
    /// 1, 2 ... of its kind and name.
    #[serde(with = "text::integer")]
    pub version: u64,
}

impl ItemFacts {
    /// What comes before the file's bytes in the payload: the facts' length (4 bytes, big-endian) and the facts.
    ///
    /// # Errors
    /// Never in practice: facts hold no number and have a canonical form.
    pub fn prefix(&self) -> Result<Vec<u8>, jcs::Error> {
        let facts = jcs::to_vec(self)?;
        // A name has at most 64 bytes, and every other field a fixed or bounded length.
        let mut prefix = (facts.len() as u32).to_be_bytes().to_vec();
        prefix.extend(facts);
        Ok(prefix)
    }

    /// Takes a payload apart: facts and file. `None` if it isn't one in the one spelling, or the file is not the one in the facts.
    #[must_use]
    pub fn split(payload: &[u8]) -> Option<(Self, &[u8])> {
        let (len, rest) = payload.split_first_chunk::<4>()?;
        let (facts, data) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*len)).ok()?)?;
        let read: Self = serde_json::from_slice(facts).ok()?;
        let whole = jcs::to_vec(&read).ok()? == facts && data.len() as u64 == read.bytes;
        (whole && Digest::of(data) == read.sha256).then_some((read, data))
    }

    /// Where the file lies, from the manifest's own folder.
    #[must_use]
    pub fn path(&self) -> String {
        let (kind, extension) = (self.kind.as_str(), self.media_type.extension());
        format!("items/{kind}/{}/{}.{extension}", self.name, self.version)
    }
}

/// An item, as the manifest has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Where the file is, from the manifest's own folder. [`ItemFacts::path`] gives it.
    pub path: String,
    /// The id that it was added under.
    pub id: Uuid,
    /// What it is.
    pub kind: ItemKind,
    /// 1 to 64 of `a-z`, `0-9` and `-`.
    pub name: String,
    /// 1, 2 ... of its kind and name, in the order in which they came.
    #[serde(with = "text::integer")]
    pub version: u64,
    /// What kind of file it is.
    pub media_type: MediaType,
    /// Length of the file.
    #[serde(with = "text::integer")]
    pub bytes: u64,
    /// SHA-256 of the file.
    pub sha256: Digest,
    /// When it was made, by whoever made it.
    #[serde(with = "crate::time::text")]
    pub made_at: DateTime<Utc>,
    /// When it came in.
    #[serde(with = "crate::time::text")]
    pub added_at: DateTime<Utc>,
    /// Its number among the exhibit's items: 0, 1 ...
    #[serde(with = "text::integer")]
    pub seq: u64,
    /// Length of the payload: facts and file.
    #[serde(with = "text::integer")]
    pub payload_bytes: u64,
    /// SHA-256 of the payload.
    pub payload_sha256: Digest,
    /// SHA-256 of what is stored for the payload: the ciphertext, or the same where nothing is encrypted.
    pub stored_sha256: Digest,
    /// The chain head after it ([`crate::chain`], track [`ITEMS`]).
    pub chain: Digest,
}

impl Item {
    /// The facts that are in its payload.
    #[must_use]
    pub fn facts(&self) -> ItemFacts {
        ItemFacts {
            added_at: self.added_at,
            bytes: self.bytes,
            id: self.id,
            kind: self.kind,
            made_at: self.made_at,
            media_type: self.media_type,
            name: self.name.clone(),
            sha256: self.sha256,
            version: self.version,
        }
    }

    /// As the chain sees it: a link of the track [`ITEMS`] that starts and ends when the item was made.
    #[must_use]
    pub fn link<'a>(&self, exhibit: ExhibitId, items: &'a TrackName) -> chain::Link<'a> {
        chain::Link {
            exhibit,
            track: items,
            seq: self.seq,
            plain: self.payload_sha256,
            stored: self.stored_sha256,
            starts_at: self.made_at,
            ends_at: self.made_at,
            bytes: self.payload_bytes,
        }
    }
}
