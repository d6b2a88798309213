//! The case of a call: facts gathered from the other services and the checklist read against them, people, referrals. Pure.

pub mod calendar;
mod checklist;
pub mod clock;
pub mod delivery;
pub mod disclosure;
pub mod documents;
pub mod draft;
mod facts;
mod fill;
mod follow_up;
mod kind;
pub mod link;
mod note;
mod people;
mod person;
mod referral;
pub mod risk;
pub mod schedule;
pub mod sealing;
pub mod statement;
#[cfg(test)]
mod tests;
mod view;

use chrono::{DateTime, Utc};
use ids::{CallId, ForceId, PackageId};

pub use checklist::{Checklist, ChecklistError, Item, Need, Source};
pub use facts::{Answer, Consent, ConsentKind, ConsentsEach, Ended, Exhibit, Fact, Facts, Heard, With};
pub use fill::{Field, RiskWords, Story};
pub use follow_up::later_pictures;
pub use kind::{About, Contact, DraftedWhen, Kind, Kinds, WrongKind};
pub use note::{BadNote, Note};
pub use people::{InvalidPerson, PeopleRefusal, Saving, remove, save};
pub use person::{Child, Details, Known, Part, Person, SafeContact, Way};
pub use referral::{
    Acknowledged, Blocked, Draft, Outcome, Recipient, Referral, ReferralRefusal, Sending, Sent, Stage, Step, Withdrawn,
    Words,
};
pub use statement::{BadStatement, OnRecord, Statement};
pub use view::{ItemState, View, ViewItem, Work};

use facts::keep;

/// What is known of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Whose.
    pub call: CallId,
    /// Whose force's.
    pub force: ForceId,
    /// What was heard.
    pub facts: Facts,
    /// Gathering, or open.
    pub state: State,
}

/// Where a package stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The session goes on, or has not begun: facts are kept, nothing is shown.
    Gathering,
    /// The session ended: the officer has a checklist.
    Open {
        /// Its id.
        id: PackageId,
        /// Since when.
        at: DateTime<Utc>,
        /// As it was then.
        checklist: Checklist,
    },
}

/// What is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The officer has a checklist.
    PackageOpened(PackageId),
}

impl Package {
    /// A call of which nothing is known yet.
    #[must_use]
    pub fn gathering(call: CallId, force: ForceId) -> Self {
        Self { call, force, facts: Facts::default(), state: State::Gathering }
    }

    /// Keeps a fact, before the package is open or after.
    #[must_use]
    pub fn hear(mut self, fact: Fact) -> (Self, Heard) {
        let heard = self.facts.hear(fact);
        (self, heard)
    }

    /// The session ended: opens the package. Once; a session that ends again changes nothing.
    #[must_use]
    pub fn session_ended(
        mut self,
        ended: Ended,
        id: PackageId,
        checklist: &Checklist,
        now: DateTime<Utc>,
    ) -> (Self, Heard, Vec<Event>) {
        let heard = keep(&mut self.facts.ended, ended);
        if heard != Heard::Taken {
            return (self, heard, vec![]);
        }
        self.state = State::Open { id, at: now, checklist: checklist.clone() };
        (self, heard, vec![Event::PackageOpened(id)])
    }
}

/// A stable name of something in a book: lower-case words and numbers, joined by hyphens.
fn is_key(text: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.split('-').all(word)
}
