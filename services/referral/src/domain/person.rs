//! The people of a case. Personal data: none of it has a `Debug` that says anything.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use ids::{OfficerId, PersonId};
use serde::{Deserialize, Serialize};

/// One of them, as they were last written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Ours.
    pub id: PersonId,
    /// What is known.
    pub details: Details,
    /// Counted up with each change, from 1.
    pub version: u64,
    /// Who wrote this version.
    pub saved_by: OfficerId,
    /// When.
    pub saved_at: DateTime<Utc>,
}

/// What somebody is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Who rang; one in a case.
    Victim,
    /// Whom it is about.
    Suspect,
    /// Under 18.
    Child,
    /// A neighbour, a grandparent.
    Other,
}

/// What was asked, and answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// Not asked yet.
    #[default]
    NotAsked,
    /// Yes.
    Yes,
    /// No.
    No,
    /// Asked, and not known.
    Unknown,
}

/// What is known of a person. An empty text is one that isn't known.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "as in people.proto")]
pub struct Details {
    pub part: Part,
    pub given_name: String,
    pub family_name: String,
    pub date_of_birth: Option<NaiveDate>,
    pub gender: String,
    pub language: String,
    pub interpreter_needed: bool,
    pub address: String,
    pub postcode: String,
    pub phone: String,
    pub email: String,
    pub relationship: String,
    pub needs: String,
    pub safe_contact: Option<SafeContact>,
    pub child: Option<Child>,
}

/// How the victim may be reached without danger.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "as in people.proto")]
pub struct SafeContact {
    pub ways: Vec<Way>,
    pub when: String,
    pub message_may_be_left: Known,
    pub never: String,
}

/// A way to reach somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "as in people.proto")]
pub enum Way {
    Phone,
    Sms,
    Email,
    Post,
    SomebodyElse,
}

/// What is known of a child beside that.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "as in people.proto")]
pub struct Child {
    pub school: String,
    pub present: Known,
    #[serde(rename = "where")]
    pub place: String,
    pub saw_or_heard: Known,
    pub spoken_to: Known,
    pub spoken_to_alone: Known,
    pub adult_beside: String,
    pub voice: String,
    pub chapters: Vec<u32>,
}

impl fmt::Debug for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
