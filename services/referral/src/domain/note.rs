//! What an officer answers for in the package, in words: an item that nothing else fills, or hasn't filled.

use std::fmt;

use chrono::{DateTime, Utc};
use ids::OfficerId;

use super::Checklist;

/// The most characters.
const LENGTH: usize = 1_000;

/// What was done about an item, or why it doesn't apply.
#[derive(Clone, PartialEq, Eq)]
pub struct Note {
    /// Or it is beside the point in this call.
    pub applies: bool,
    /// In the officer's words.
    pub text: String,
    /// Whose.
    pub by: OfficerId,
    /// When.
    pub at: DateTime<Utc>,
}

/// Why a note isn't taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadNote {
    /// There is no such item, or only something else fills it.
    #[error("the checklist has no such item that is answered by a note")]
    UnknownItem,
    /// Nothing is said, or too much.
    #[error("a note is 1 to 1,000 characters")]
    Length,
}

impl Note {
    /// A note on that item of the checklist.
    ///
    /// # Errors
    /// No such item, or no words, or too many.
    pub fn on(checklist: &Checklist, key: &str, note: Self) -> Result<Self, BadNote> {
        let item = checklist.items().iter().find(|item| item.key == key);
        if item.is_none_or(|item| !item.takes_note()) {
            return Err(BadNote::UnknownItem);
        }
        if note.text.contains('\0') || note.text.trim().is_empty() || note.text.chars().count() > LENGTH {
            return Err(BadNote::Length);
        }
        Ok(note)
    }
}

impl fmt::Debug for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Note([redacted])")
    }
}
