//! The case of a call: facts gathered from the other services and the checklist read against them, people, referrals. Pure.

pub mod calendar;
mod checklist;
pub mod clock;
mod facts;
mod people;
mod person;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use ids::{CallId, ForceId, PackageId};

pub use checklist::{Checklist, ChecklistError, Item, Need, Source};
pub use facts::{Answer, Consent, ConsentKind, ConsentsEach, Ended, Exhibit, Fact, Facts, Heard, With};
pub use people::{InvalidPerson, PeopleRefusal, Saving, remove, save};
pub use person::{Child, Details, Known, Part, Person, SafeContact, Way};

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

/// The checklist as the officer sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Every item, in the checklist's order.
    pub items: Vec<ViewItem>,
    /// Share of the required items that are there, 0 to 100, rounded down: 100 means nothing is missing.
    pub score_percent: u32,
}

/// One line of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewItem {
    /// Stable.
    pub key: String,
    /// For the screen.
    pub title: String,
    /// Counts in the score.
    pub required: bool,
    /// There, missing, or beside the point.
    pub state: ItemState,
}

/// The state of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemState {
    /// To be found.
    Missing,
    /// There, and this is what fills it.
    Present(String),
    /// Beside the point in this call.
    NotApplicable,
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

    /// The checklist against the facts; `None` while the package isn't open.
    #[must_use]
    pub fn view(&self) -> Option<View> {
        let State::Open { checklist, .. } = &self.state else { return None };
        let items: Vec<_> = checklist
            .items()
            .iter()
            .map(|item| ViewItem {
                key: item.key.clone(),
                title: item.title.clone(),
                required: item.required,
                state: self.facts.read(item),
            })
            .collect();
        let counted = || items.iter().filter(|item| item.required && item.state != ItemState::NotApplicable);
        let there = counted().filter(|item| matches!(item.state, ItemState::Present(_))).count();
        let score_percent = (there * 100).checked_div(counted().count()).unwrap_or(100);
        Some(View { score_percent: u32::try_from(score_percent).unwrap_or(100), items })
    }
}

impl View {
    /// Keys of the required items that aren't there.
    pub fn missing(&self) -> impl Iterator<Item = &str> {
        self.items.iter().filter(|item| item.required && item.state == ItemState::Missing).map(|item| item.key.as_str())
    }
}

impl Facts {
    fn read(&self, item: &Item) -> ItemState {
        let unrecorded = self.ended.as_ref().is_some_and(|ended| !ended.recorded);
        if item.needs == Some(Need::Recording) && unrecorded {
            return ItemState::NotApplicable;
        }
        let evidence = match item.filled_by {
            None => None,
            Some(Source::Incident) => self.incident.as_ref().map(|i| format!("{} {}", i.date, i.number)),
            Some(Source::Consent) => self.consents_in_words(),
            Some(Source::Exhibit) => self.exhibit.as_ref().map(|exhibit| exhibit.reference.clone()),
            Some(Source::Recording) => {
                self.exhibit.as_ref().filter(|exhibit| exhibit.seal.is_some()).map(|exhibit| exhibit.reference.clone())
            }
        };
        evidence.map_or(ItemState::Missing, ItemState::Present)
    }

    /// "video: given, recording: refused". A refusal is as good a record as a yes.
    fn consents_in_words(&self) -> Option<String> {
        let word = |kind: &ConsentKind| match kind {
            ConsentKind::Video => "video",
            ConsentKind::Recording => "recording",
            ConsentKind::Stills => "stills",
            ConsentKind::Covered => "recording while covered",
        };
        let one = |(kind, answer): (&ConsentKind, &Answer)| {
            format!("{}: {}", word(kind), if answer.given { "given" } else { "refused" })
        };
        let all: Vec<_> = self.consents.iter().map(one).collect();
        (!all.is_empty()).then(|| all.join(", "))
    }
}

/// A stable name of something in a book: lower-case words and numbers, joined by hyphens.
fn is_key(text: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.split('-').all(word)
}
