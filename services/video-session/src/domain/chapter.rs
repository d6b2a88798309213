//! Chapters: where in a call something begins, as its officer marks it, so that nobody has to watch all of it to find that.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Remark, chat::time};

/// What begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChapterKind {
    /// The caller is asked what they agree to.
    Consent,
    /// Their account.
    Account,
    /// A child speaks, or is spoken of.
    Child,
    /// The place is shown.
    Surroundings,
    /// Injuries are shown.
    Injuries,
    /// A break.
    Break,
    /// What the note says.
    Other,
}

/// One chapter's beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chapter {
    /// When, to the microsecond.
    #[serde(serialize_with = "time")]
    pub at: DateTime<Utc>,
    /// What begins.
    pub kind: ChapterKind,
    /// In the officer's words; may be empty.
    #[serde(serialize_with = "Remark::write")]
    pub note: Remark,
    /// The request that marked it: a repeat is known by it.
    pub request: String,
}
