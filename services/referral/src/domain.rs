//! The evidential package of a call: facts gathered from the other services, and the checklist read against them.
//! Pure. Facts only accumulate, each in its own place, so the order in which the streams bring them doesn't matter.

mod checklist;
pub mod delivery;
mod person;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use ids::{CallId, ExhibitId, ForceId, IncidentRef, PackageId, SessionId};
use serde::{Deserialize, Serialize};

pub use checklist::{Checklist, ChecklistError, Item, Need, Source};
pub use person::{Child, Details, Known, Part, Person, SafeContact, Way};

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

/// Everything heard about a call that fills an item or decides whether it applies.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Facts {
    /// The force's own reference.
    pub incident: Option<IncidentRef>,
    /// The last word on each consent.
    pub consents: BTreeMap<ConsentKind, Answer>,
    /// What was recorded.
    pub exhibit: Option<Exhibit>,
    /// How the session ended.
    pub ended: Option<Ended>,
}

/// What a caller can agree to or refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentKind {
    /// To speak by video.
    Video,
    /// To be recorded.
    Recording,
    /// To have stills taken.
    Stills,
    /// To be recorded also while they have covered the call.
    Covered,
}

/// A consent as it was last answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Or refused.
    pub given: bool,
    /// The call's version at intake when it was taken: an older one never replaces a newer.
    pub version: u64,
}

/// The exhibit of the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exhibit {
    /// Its id.
    pub id: ExhibitId,
    /// Its reference: `ABC/1`.
    pub reference: String,
    /// Hex SHA-256 of its seal, once sealed.
    pub seal: Option<String>,
}

/// The end of the session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Which session.
    pub session: SessionId,
    /// Whether anything was recorded.
    pub recorded: bool,
}

/// A fact from another service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// An officer has the call; the incident comes with it.
    Accepted(IncidentRef),
    /// Consents were taken.
    Consented {
        /// Which, and whether given.
        answers: Vec<(ConsentKind, bool)>,
        /// The call's version at intake.
        version: u64,
    },
    /// The exhibit is open.
    ExhibitOpened {
        /// Its id.
        id: ExhibitId,
        /// Its reference.
        reference: String,
    },
    /// The exhibit is sealed.
    ExhibitSealed {
        /// Its id.
        id: ExhibitId,
        /// Its reference.
        reference: String,
        /// Hex SHA-256 of its seal.
        seal: String,
    },
}

/// What a fact did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It is kept.
    Taken,
    /// It was known, or something newer is.
    Repeated,
    /// It contradicts what is kept: the first stands, and a person has to look.
    Conflict,
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
        let facts = &mut self.facts;
        let heard = match fact {
            Fact::Accepted(incident) => keep(&mut facts.incident, incident),
            Fact::Consented { answers, version } => {
                let mut heard = Heard::Repeated;
                for (kind, given) in answers {
                    let newer = facts.consents.get(&kind).is_none_or(|known| known.version < version);
                    if newer {
                        facts.consents.insert(kind, Answer { given, version });
                        heard = Heard::Taken;
                    }
                }
                heard
            }
            Fact::ExhibitOpened { id, reference } => match &facts.exhibit {
                Some(known) if known.id == id => Heard::Repeated,
                Some(_) => Heard::Conflict,
                None => {
                    facts.exhibit = Some(Exhibit { id, reference, seal: None });
                    Heard::Taken
                }
            },
            Fact::ExhibitSealed { id, reference, seal } => {
                let exhibit = facts.exhibit.get_or_insert(Exhibit { id, reference, seal: None });
                if exhibit.id == id { keep(&mut exhibit.seal, seal) } else { Heard::Conflict }
            }
        };
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

/// The first value stays.
fn keep<T: PartialEq>(place: &mut Option<T>, value: T) -> Heard {
    match place {
        None => {
            *place = Some(value);
            Heard::Taken
        }
        Some(known) if *known == value => Heard::Repeated,
        Some(_) => Heard::Conflict,
    }
}
