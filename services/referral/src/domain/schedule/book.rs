//! What kinds of material there are and how each is proposed to be handled, as data: read once at the start, refused if it makes no
//! sense.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Handling, MOST};

/// What can be on a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "as in schedule.toml")]
pub enum Material {
    Recording,
    Still,
    Photograph,
    ChatTranscript,
    Chapters,
    Records,
    Consents,
    DeclaredStatement,
    DraftStatement,
    Assessment,
    Referral,
    People,
    Child,
    Note,
    ClaresLaw,
    EarlierCall,
}

/// How one kind of it is proposed to be handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    title: String,
    /// What is proposed.
    pub handling: Handling,
    /// Why, if it is sensitive; empty otherwise.
    pub reason: String,
}

/// All of them. Valid by construction: each material once, nothing filled in that isn't known of it, no secret without a reason.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Raw")]
pub struct ScheduleBook {
    version: String,
    proposals: BTreeMap<Material, Proposal>,
}

/// Why the book is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadScheduleBook {
    /// No version.
    #[error("the schedule has no version")]
    NoVersion,
    /// It would be on no schedule.
    #[error("{0:?} has no entry")]
    Missing(Material),
    /// Which of the two?
    #[error("{0:?} comes twice")]
    Twice(Material),
    /// Nothing is said of it, or something that isn't known.
    #[error("the title of {0:?} is empty, or names something in braces that isn't known of it")]
    Title(Material),
    /// By no rule.
    #[error("{0:?} has no source")]
    NoSource(Material),
    /// Kept from the defence without why, or with too much of it.
    #[error("{0:?} is sensitive without a reason, or its reason is too long")]
    Reason(Material),
}

/// As written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    version: String,
    entry: Vec<RawEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    material: Material,
    title: String,
    handling: Handling,
    #[serde(default)]
    reason: String,
    source: String,
}

impl Material {
    const ALL: [Self; 16] = [
        Self::Recording,
        Self::Still,
        Self::Photograph,
        Self::ChatTranscript,
        Self::Chapters,
        Self::Records,
        Self::Consents,
        Self::DeclaredStatement,
        Self::DraftStatement,
        Self::Assessment,
        Self::Referral,
        Self::People,
        Self::Child,
        Self::Note,
        Self::ClaresLaw,
        Self::EarlierCall,
    ];

    /// What is known of one, and may be said of it.
    const fn known(self) -> &'static [&'static str] {
        match self {
            Self::Recording => &["reference", "seal"],
            Self::ChatTranscript | Self::Chapters | Self::Records => &["reference"],
            Self::Still | Self::Photograph => &["name"],
            Self::DeclaredStatement | Self::DraftStatement => &["version"],
            Self::Assessment => &["title", "grade"],
            Self::Referral | Self::Note | Self::EarlierCall => &["title"],
            Self::Consents | Self::People | Self::Child | Self::ClaresLaw => &[],
        }
    }
}

impl Proposal {
    /// What the schedule says of it.
    #[must_use]
    pub fn describe(&self, known: &[(&'static str, String)]) -> String {
        known.iter().fold(self.title.clone(), |title, (name, value)| title.replace(&format!("{{{name}}}"), value))
    }
}

impl ScheduleBook {
    /// Which edition this is.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What is proposed for it.
    pub(super) fn of(&self, material: Material) -> Option<&Proposal> {
        self.proposals.get(&material)
    }
}

impl TryFrom<Raw> for ScheduleBook {
    type Error = BadScheduleBook;

    fn try_from(raw: Raw) -> Result<Self, BadScheduleBook> {
        if raw.version.trim().is_empty() {
            return Err(BadScheduleBook::NoVersion);
        }
        let mut proposals = BTreeMap::new();
        for RawEntry { material, title, handling, reason, source } in raw.entry {
            let filled = material.known().iter().fold(title.clone(), |t, name| t.replace(&format!("{{{name}}}"), ""));
            if title.trim().is_empty() || filled.contains(['{', '}']) {
                return Err(BadScheduleBook::Title(material));
            }
            if source.trim().is_empty() {
                return Err(BadScheduleBook::NoSource(material));
            }
            let reason = if reason.trim().is_empty() { String::new() } else { format!("{reason} ({source})") };
            if (handling == Handling::Sensitive && reason.is_empty()) || reason.chars().count() > MOST {
                return Err(BadScheduleBook::Reason(material));
            }
            if proposals.insert(material, Proposal { title, handling, reason }).is_some() {
                return Err(BadScheduleBook::Twice(material));
            }
        }
        if let Some(material) = Material::ALL.into_iter().find(|material| !proposals.contains_key(material)) {
            return Err(BadScheduleBook::Missing(material));
        }
        Ok(Self { version: raw.version, proposals })
    }
}
