//! The checklist as data: read once at the start, refused if it makes no sense.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::is_key;

/// What a package needs. Valid by construction: keys are unique, no title is empty, something is required.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Raw", into = "Raw")]
pub struct Checklist {
    version: String,
    items: Vec<Item>,
}

/// One thing that it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Stable: `initial-account`.
    pub key: String,
    /// For the officer's screen.
    pub title: String,
    /// Counts in the score.
    pub required: bool,
    /// What fills it by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filled_by: Option<Source>,
    /// Where nothing fills it, an officer may answer for it in words: that there was nothing to photograph.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub or_note: bool,
    /// When it applies at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<Need>,
    /// A follow-up for later photographs has it, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub follow_up: bool,
}

/// What fills an item by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The force's reference of the incident.
    Incident,
    /// The consents taken.
    Consent,
    /// The exhibit, once sealed.
    Recording,
    /// The exhibit, from its opening on.
    Exhibit,
    /// Stills and photographs.
    Stills,
    /// Those of its follow-ups, or an officer's note.
    FollowUps,
    /// The grade.
    Risk,
    /// Earlier calls of the same people.
    History,
    /// Children and others, and what they saw or heard.
    People,
    /// Referrals, sent or withdrawn.
    Referrals,
    /// The officer's declared statement.
    Statement,
    /// The disclosure schedule, saved and current.
    Schedule,
    /// An officer's note.
    Note,
}

/// What an item depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// The caller agreed to be recorded.
    Recording,
    /// The caller agreed to have stills taken, or wasn't asked.
    Stills,
}

/// Why a checklist is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChecklistError {
    /// No version.
    #[error("the checklist has no version")]
    NoVersion,
    /// A key with something else than lower-case words and hyphens, or none.
    #[error("the item key {0:?} is not in lower-case words joined by hyphens")]
    Key(String),
    /// A key twice.
    #[error("the item key {0:?} comes twice")]
    Twice(String),
    /// An item without words.
    #[error("the item {0:?} has no title")]
    NoTitle(String),
    /// No score could be given.
    #[error("the checklist requires nothing")]
    NothingRequired,
}

/// As written.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    version: String,
    item: Vec<Item>,
}

impl Item {
    /// An officer may answer for it.
    #[must_use]
    pub fn takes_note(&self) -> bool {
        self.or_note || self.filled_by == Some(Source::Note)
    }
}

impl Checklist {
    /// Every item, in order.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// Which edition this is.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }
}

impl TryFrom<Raw> for Checklist {
    type Error = ChecklistError;

    fn try_from(raw: Raw) -> Result<Self, ChecklistError> {
        if raw.version.is_empty() {
            return Err(ChecklistError::NoVersion);
        }
        let mut keys = BTreeSet::new();
        for Item { key, title, .. } in &raw.item {
            if !is_key(key) {
                return Err(ChecklistError::Key(key.clone()));
            }
            if title.trim().is_empty() {
                return Err(ChecklistError::NoTitle(key.clone()));
            }
            if !keys.insert(key) {
                return Err(ChecklistError::Twice(key.clone()));
            }
        }
        if !raw.item.iter().any(|item| item.required) {
            return Err(ChecklistError::NothingRequired);
        }
        Ok(Self { version: raw.version, items: raw.item })
    }
}

impl From<Checklist> for Raw {
    fn from(list: Checklist) -> Self {
        Self { version: list.version, item: list.items }
    }
}
