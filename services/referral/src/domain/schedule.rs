//! The disclosure schedule: all the material there is about a call, each piece with how it is to be handled and why (Criminal Procedure
//! and Investigations Act 1996). It is worked out from what is there at each look; what an officer said of it is laid over that, and
//! counts for as long as nothing has come or changed.

mod book;
mod pieces;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use ids::OfficerId;
use serde::{Deserialize, Serialize};

pub use book::{BadScheduleBook, Material, Proposal, ScheduleBook};
pub use pieces::{Assessed, OnFile, Piece, pieces};

/// The most characters of a reason.
const MOST: usize = 500;

/// How material is to be handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Handling {
    /// Goes forward.
    Evidence,
    /// Unused, on the schedule that the defence gets.
    Unused,
    /// Unused, on the prosecutor's schedule only.
    Sensitive,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Stable.
    pub key: String,
    /// What it is, without what it says.
    pub description: String,
    /// Another if what it is about has changed.
    pub about: String,
    /// When it was made, as far as that is known.
    pub at: Option<DateTime<Utc>>,
    /// As it was decided, or is proposed.
    pub handling: Handling,
    /// Why, if that needs saying. The officer's words.
    pub reason: String,
    /// It has come, or changed, since the schedule was saved.
    pub is_new: bool,
    /// What is proposed.
    proposed: Handling,
}

/// The schedule as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The version that was saved last, who saved it, and when.
    pub saved: Option<(u32, OfficerId, DateTime<Utc>)>,
    /// Nothing has come, changed or gone since.
    pub current: bool,
    /// Every piece of material.
    pub entries: Vec<Entry>,
}

/// A version that was saved. Each is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedSchedule {
    /// 1, 2, 3 ...
    pub version: u32,
    /// Who answers for it.
    pub by: OfficerId,
    /// When.
    pub at: DateTime<Utc>,
    /// Every entry of it.
    pub entries: Vec<Decided>,
}

/// What an officer said of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "as in Entry")]
pub struct Decided {
    pub key: String,
    pub description: String,
    pub about: String,
    pub handling: Handling,
    pub reason: String,
}

/// What an officer says of an entry.
#[derive(Debug, Clone)]
pub struct Said {
    /// Which.
    pub key: String,
    /// What it was about, as they saw it.
    pub seen: String,
    /// How; none: nothing that there is.
    pub handling: Option<Handling>,
    /// Why.
    pub reason: String,
}

/// Why a version isn't saved; the entry's key with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSchedule {
    /// Another version came between, or an entry that isn't in it, or that was about something else.
    #[error("the schedule was changed meanwhile")]
    Changed(Option<String>),
    /// There is no such entry, or no more.
    #[error("the schedule has no such entry")]
    Unknown(String),
    /// It is to be handled in no way, or in two.
    #[error("each entry is handled in one of the ways that there are")]
    Handling(String),
    /// Kept from the defence, or decided otherwise than proposed, without why; or with too much of it.
    #[error("what is sensitive, or decided otherwise than proposed, needs a reason of up to 500 characters")]
    Reason(String),
}

impl Schedule {
    /// What is there, and what was said of it last.
    #[must_use]
    pub fn of(pieces: Vec<Piece>, book: &ScheduleBook, saved: Option<SavedSchedule>) -> Self {
        let (saved, decided) = match saved {
            Some(SavedSchedule { version, by, at, entries }) => (Some((version, by, at)), entries),
            None => (None, vec![]),
        };
        let known: BTreeMap<&str, &Decided> = decided.iter().map(|entry| (entry.key.as_str(), entry)).collect();
        let entry = |piece: Piece| {
            let proposal = book.of(piece.material)?;
            let said = known.get(piece.key.as_str()).filter(|said| said.about == piece.about);
            let (handling, reason) =
                said.map_or((proposal.handling, &proposal.reason), |said| (said.handling, &said.reason));
            Some(Entry {
                description: proposal.describe(&piece.known),
                handling,
                reason: reason.clone(),
                is_new: said.is_none(),
                proposed: proposal.handling,
                key: piece.key,
                about: piece.about,
                at: piece.at,
            })
        };
        let entries: Vec<_> = pieces.into_iter().filter_map(entry).collect();
        // As many as were decided on, and each of them known: so none is gone.
        let current = saved.is_some() && entries.len() == decided.len() && entries.iter().all(|entry| !entry.is_new);
        Self { saved, current, entries }
    }

    /// The version that was saved last; 0 if none was.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.saved.as_ref().map_or(0, |(version, ..)| *version)
    }

    /// "version 2, by pc.a, 14 entries", while it is current.
    #[must_use]
    pub fn in_words(&self) -> Option<String> {
        let (version, by, _) = self.saved.as_ref().filter(|_| self.current)?;
        let count = self.entries.len();
        Some(format!("version {version}, by {by}, {count} {}", if count == 1 { "entry" } else { "entries" }))
    }

    /// The next version, as an officer says on version `base` that each entry is to be handled.
    ///
    /// # Errors
    /// Something came between, or something in it can't be so.
    pub fn decide(
        &self,
        base: u32,
        said: &[Said],
        (by, at): (OfficerId, DateTime<Utc>),
    ) -> Result<SavedSchedule, BadSchedule> {
        if base != self.version() {
            return Err(BadSchedule::Changed(None));
        }
        let mut by_key = BTreeMap::new();
        for one in said {
            if !self.entries.iter().any(|entry| entry.key == one.key) {
                return Err(BadSchedule::Unknown(one.key.clone()));
            }
            if by_key.insert(one.key.as_str(), one).is_some() {
                return Err(BadSchedule::Handling(one.key.clone()));
            }
        }
        let decide = |entry: &Entry| {
            let key = || entry.key.clone();
            let said = by_key.get(entry.key.as_str()).ok_or_else(|| BadSchedule::Changed(Some(key())))?;
            if said.seen != entry.about {
                return Err(BadSchedule::Changed(Some(key())));
            }
            let handling = said.handling.ok_or_else(|| BadSchedule::Handling(key()))?;
            let needs_reason = handling == Handling::Sensitive || handling != entry.proposed;
            let fits = said.reason.chars().count() <= MOST && !said.reason.contains('\0');
            if !fits || (needs_reason && said.reason.trim().is_empty()) {
                return Err(BadSchedule::Reason(key()));
            }
            let (description, about) = (entry.description.clone(), entry.about.clone());
            Ok(Decided { key: key(), description, about, handling, reason: said.reason.clone() })
        };
        let entries = self.entries.iter().map(decide).collect::<Result<_, _>>()?;
        Ok(SavedSchedule { version: base + 1, by, at, entries })
    }
}
