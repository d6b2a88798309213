//! Kinds of referral as data: what each is, by what right it is made, and what has to be in it.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{
    fill, is_key,
    person::{Child, Details, Known},
};

/// The kinds that a force makes. Valid by construction: keys are unique, fields exist, none is told twice.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Raw")]
pub struct Kinds(Vec<Kind>);

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// Stable: `idva`.
    pub key: String,
    /// For the officer's screen and the partner.
    pub title: String,
    /// Whom it is about.
    pub about: About,
    /// By what right it is made.
    pub lawful_basis: String,
    /// It needs the caller's yes.
    pub consent: bool,
    /// What the partner is told of reaching the victim.
    pub contact: Contact,
    /// Fields without which it can't be sent.
    pub required: Vec<String>,
    /// Fields that are told if they are known.
    pub optional: Vec<String>,
    /// The service of a partner that it goes to.
    pub partner: String,
    /// The clock that begins when it is drafted.
    #[serde(default)]
    pub clock: Option<String>,
    /// When it is drafted by itself.
    #[serde(default)]
    pub drafted_when: Option<DraftedWhen>,
}

/// Whom a kind is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// Who rang.
    Victim,
    /// One child: there is one a child.
    Child,
}

/// What a partner is told of reaching the victim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Contact {
    /// They will: by the safe ways and no other.
    Safe,
    /// They may have to: all that is known, and what of it is safe.
    Full,
    /// They must not.
    None,
}

/// When a kind is drafted by itself, and nobody's hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DraftedWhen {
    /// A child was in the house when it happened.
    ChildPresent,
    /// A child saw or heard it.
    ChildSawOrHeard,
}

/// Why kinds are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongKind {
    /// There are none.
    #[error("there is no kind of referral")]
    None,
    /// A key that isn't one.
    #[error("the key {0:?} is not in lower-case words joined by hyphens, or too long")]
    Key(String),
    /// A key twice.
    #[error("the kind {0:?} comes twice")]
    Twice(String),
    /// Words that must be there.
    #[error("the kind {0:?} has no {1}")]
    Empty(String, &'static str),
    /// A field that there isn't.
    #[error("the kind {0:?} tells {1:?}, which is no field, or a child's in a kind about the victim")]
    Field(String, String),
    /// A field twice.
    #[error("the kind {0:?} tells {1:?} twice")]
    FieldTwice(String, String),
    /// A way to who must not be reached.
    #[error("by the kind {0:?} nobody is to reach the victim, and it tells {1:?}")]
    Reaches(String, String),
    /// A rule about children for a kind that isn't.
    #[error("the kind {0:?} is drafted by a child, and is not about one")]
    DraftedWhen(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    kind: Vec<Kind>,
}

impl Kinds {
    /// All of them, in the file's order.
    pub fn iter(&self) -> impl Iterator<Item = &Kind> {
        self.0.iter()
    }

    /// One.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Kind> {
        self.0.iter().find(|kind| kind.key == key)
    }
}

/// What the consent to a referral of that kind is called at intake.
pub(super) fn consent_subject(kind: &str) -> String {
    format!("{kind}/1")
}

/// By which the victim is found.
const VICTIMS_WAYS: [&str; 4] = ["victim.address", "victim.postcode", "victim.phone", "victim.email"];

impl Kind {
    /// What the consent that it needs is called at intake.
    #[must_use]
    pub fn consent_subject(&self) -> String {
        consent_subject(&self.key)
    }

    fn check(&self) -> Result<(), WrongKind> {
        let key = || self.key.clone();
        // A consent's subject has up to 40 characters.
        if self.key.len() > 38 || !is_key(&self.key) {
            return Err(WrongKind::Key(key()));
        }
        for (text, what) in [(&self.title, "title"), (&self.lawful_basis, "lawful basis")] {
            if text.trim().is_empty() {
                return Err(WrongKind::Empty(key(), what));
            }
        }
        if !is_key(&self.partner) {
            return Err(WrongKind::Empty(key(), "service of a partner"));
        }
        let mut told = BTreeSet::new();
        for field in self.required.iter().chain(&self.optional) {
            let of_child = field.starts_with("child.");
            if !fill::is_field(field) || (of_child && self.about != About::Child) {
                return Err(WrongKind::Field(key(), field.clone()));
            }
            if self.contact == Contact::None && VICTIMS_WAYS.contains(&field.as_str()) {
                return Err(WrongKind::Reaches(key(), field.clone()));
            }
            if !told.insert(field) {
                return Err(WrongKind::FieldTwice(key(), field.clone()));
            }
        }
        if self.drafted_when.is_some() && self.about != About::Child {
            return Err(WrongKind::DraftedWhen(key()));
        }
        Ok(())
    }
}

impl DraftedWhen {
    /// Whether it is so of this person.
    #[must_use]
    pub fn is_so(self, details: &Details) -> bool {
        let of = |which: fn(&Child) -> Known| details.child.as_ref().is_some_and(|child| which(child) == Known::Yes);
        match self {
            Self::ChildPresent => of(|child| child.present),
            Self::ChildSawOrHeard => of(|child| child.saw_or_heard),
        }
    }

    /// For the officer.
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Self::ChildPresent => "child present",
            Self::ChildSawOrHeard => "child saw or heard it",
        }
    }
}

impl TryFrom<Raw> for Kinds {
    type Error = WrongKind;

    fn try_from(raw: Raw) -> Result<Self, WrongKind> {
        if raw.kind.is_empty() {
            return Err(WrongKind::None);
        }
        let mut keys = BTreeSet::new();
        for kind in &raw.kind {
            kind.check()?;
            if !keys.insert(&kind.key) {
                return Err(WrongKind::Twice(kind.key.clone()));
            }
        }
        Ok(Self(raw.kind))
    }
}
