//! The package's index, to print: what goes to the case file with the package. It says what there is and where it stands, and no word of a
//! statement. Knows nothing of the case but what it is told in words.

mod block;
mod draw;
mod fonts;
#[cfg(any(test, fuzzing))]
pub mod kept;
mod layout;
mod sections;
#[cfg(test)]
mod tests;
mod text;

use chrono::{DateTime, Utc};

/// What stands in an index. Personal data: no `Debug`. A text that is empty is one that isn't known.
#[derive(Clone, Default)]
pub struct Index {
    /// Whose.
    pub force: String,
    /// The force's reference.
    pub incident: String,
    /// Of the call.
    pub call: String,
    /// Of the package.
    pub package: String,
    /// Since when there is one.
    pub opened_at: DateTime<Utc>,
    /// When this is printed.
    pub printed_at: DateTime<Utc>,
    /// By whom.
    pub printed_by: String,
    /// The exhibit's reference.
    pub exhibit: String,
    /// Hex SHA-256 of its seal.
    pub seal: String,
    /// Share of the required items that are there.
    pub score_percent: u32,
    /// What the package needs.
    pub checklist: Vec<Item>,
    /// Stills and photographs, by their names in the exhibit.
    pub pictures: Vec<String>,
    /// Those who are part of it.
    pub people: Vec<Person>,
    /// The grade that was given.
    pub grade: Option<Grade>,
    /// What was drafted, sent, taken back.
    pub referrals: Vec<Referral>,
    /// By when something had to be done, or has.
    pub clocks: Vec<Clock>,
    /// Every version.
    pub statements: Vec<Statement>,
    /// The disclosure schedule as it was saved, an entry each.
    pub schedule: Vec<String>,
    /// The package as it was sealed before, an addendum each.
    pub sealed: Vec<String>,
}

/// A line of the checklist.
#[derive(Clone)]
pub struct Item {
    /// What it is.
    pub title: String,
    /// It counts in the score.
    pub required: bool,
    /// How it stands.
    pub state: State,
    /// What fills it.
    pub evidence: String,
}

/// How an item stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// To be found.
    Missing,
    /// There.
    Present,
    /// Beside the point in this call.
    NotApplicable,
}

/// Somebody who is part of it, in words.
#[derive(Clone, Default)]
#[expect(missing_docs, reason = "a column each")]
pub struct Person {
    pub name: String,
    pub part: String,
    pub born: String,
    pub present: String,
    pub saw_or_heard: String,
    pub spoken_to: String,
}

/// A grade, in words.
#[derive(Clone)]
pub struct Grade {
    /// "high".
    pub grade: String,
    /// "professional judgement".
    pub because: String,
    /// Why, in the officer's words.
    pub reason: String,
    /// Whose.
    pub officer: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Answers have changed since, or more is known: it is to be given anew.
    pub is_outdated: bool,
}

/// A referral, in words.
#[derive(Clone, Default)]
pub struct Referral {
    /// Its kind's title, and whom it is about.
    pub kind: String,
    /// Who was told, or is to be.
    pub partner: String,
    /// When it was sent, and by whom.
    pub sent: Option<(DateTime<Utc>, String)>,
    /// When the partner said that they have it, and who of them.
    pub acknowledged: Option<(DateTime<Utc>, String)>,
    /// What came of it, or that it was taken back.
    pub outcome: Option<(DateTime<Utc>, String)>,
}

/// A clock, in words.
#[derive(Clone)]
pub struct Clock {
    /// What is to be done.
    pub title: String,
    /// By when.
    pub due_at: DateTime<Utc>,
    /// "running", "done", "missed".
    pub state: String,
}

/// A version of the statement.
#[derive(Clone)]
pub struct Statement {
    /// Which.
    pub version: u32,
    /// Whose.
    pub officer: String,
    /// When.
    pub at: DateTime<Utc>,
    /// It was declared to be true.
    pub declared: bool,
}

/// It could not be printed.
#[derive(Debug, thiserror::Error)]
#[error("the index can't be printed: {0}")]
pub struct Error(String);

impl Error {
    /// Whoever printed it was stopped.
    pub(crate) fn stopped() -> Self {
        Self("it was stopped".to_owned())
    }
}

/// The index as a PDF: A4, PDF/A-2a, PDF/UA-1. The same index gives the same bytes.
///
/// # Errors
/// It can't be a PDF of that kind.
pub fn index(index: &Index) -> Result<Vec<u8>, Error> {
    let fonts = fonts::Fonts::new();
    let laid = lay(&fonts, index);
    let title = format!("Package index, incident {}", fonts.written(&index.incident));
    let id = format!("{} {}", index.package, index.printed_at.timestamp_micros());
    draw::draw(&fonts, &laid, &draw::About { title: &title, id: &id, at: index.printed_at })
}

/// Its pages.
fn lay(fonts: &fonts::Fonts, index: &Index) -> layout::Laid {
    let blocks = sections::blocks(fonts, index);
    let reference = format!("Incident {}", fonts.written(&index.incident));
    layout::lay(fonts, &blocks, &layout::Margins { marking: "OFFICIAL-SENSITIVE", reference: &reference })
}
