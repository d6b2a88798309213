//! The checklist read against what is there: facts of other services, work done here, and what an officer answers for.

use std::collections::BTreeMap;

use super::{Answer, Checklist, ConsentKind, Facts, Item, Need, Note, Package, Source, State};

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
    /// An officer answers for it.
    pub by_note: bool,
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

/// What was done here, as far as it fills an item: each in words for the officer, and none of it anybody's data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Work {
    /// The grade, once it was given on the answers as they are.
    pub risk: Option<String>,
    /// Earlier calls of the same people, once each that was found has been judged.
    pub history: Option<String>,
    /// Who is part of it, once it is known of each child and each other whether they saw or heard it.
    pub people: Option<String>,
    /// How many children are written down.
    pub children: usize,
    /// What was set going, once nothing that was drafted is left.
    pub referrals: Option<String>,
    /// Pictures that were taken in follow-ups, and in which exhibits.
    pub follow_ups: Option<String>,
    /// The declared statement.
    pub statement: Option<String>,
    /// The disclosure schedule, while nothing has come since it was saved.
    pub schedule: Option<String>,
    /// The officer's notes, by item.
    pub notes: BTreeMap<String, Note>,
}

impl Package {
    /// What it needs: as it was when it opened, and by the book before that.
    #[must_use]
    pub fn checklist<'a>(&'a self, book: &'a Checklist) -> &'a Checklist {
        match &self.state {
            State::Open { checklist, .. } => checklist,
            State::Gathering => book,
        }
    }

    /// The checklist against facts and work.
    #[must_use]
    pub fn view(&self, book: &Checklist, work: &Work) -> View {
        let item = |item: &Item| {
            let state = read(item, &self.facts, work);
            let by_itself = filled(item, &self.facts, work).is_some();
            let (key, title, required) = (item.key.clone(), item.title.clone(), item.required);
            ViewItem { key, title, required, state, by_note: item.takes_note() && !by_itself }
        };
        let items: Vec<_> = self.checklist(book).items().iter().map(item).collect();
        let counted = || items.iter().filter(|item| item.required && item.state != ItemState::NotApplicable);
        let there = counted().filter(|item| matches!(item.state, ItemState::Present(_))).count();
        let score_percent = (there * 100).checked_div(counted().count()).unwrap_or(100);
        View { score_percent: u32::try_from(score_percent).unwrap_or(100), items }
    }
}

impl View {
    /// Keys of the required items that aren't there.
    pub fn missing(&self) -> impl Iterator<Item = &str> {
        self.items.iter().filter(|item| item.required && item.state == ItemState::Missing).map(|item| item.key.as_str())
    }
}

fn read(item: &Item, facts: &Facts, work: &Work) -> ItemState {
    if facts.asks_less_than(item) || item.needs.is_some_and(|need| facts.excludes(need)) {
        return ItemState::NotApplicable;
    }
    match (filled(item, facts, work), work.notes.get(&item.key).filter(|_| item.takes_note())) {
        (Some(evidence), _) => ItemState::Present(evidence),
        (None, Some(note)) if note.applies => ItemState::Present(note.text.clone()),
        (None, Some(_)) => ItemState::NotApplicable,
        (None, None) => ItemState::Missing,
    }
}

/// What fills it by itself.
fn filled(item: &Item, facts: &Facts, work: &Work) -> Option<String> {
    let reference = |exhibit: &super::Exhibit| exhibit.reference.clone();
    match item.filled_by? {
        Source::Incident => facts.incident.as_ref().map(|i| format!("{} {}", i.date, i.number)),
        Source::Consent => facts.consents_in_words(),
        Source::Exhibit => facts.exhibit.as_ref().map(reference),
        Source::Recording => facts.exhibit.as_ref().filter(|exhibit| exhibit.seal.is_some()).map(reference),
        Source::Stills => facts.pictures_in_words(),
        Source::Risk => work.risk.clone(),
        Source::History => work.history.clone(),
        // The control room heard of children: somebody has to say what became of that.
        Source::People => work.people.clone().filter(|_| !facts.children_said || work.children > 0),
        Source::Referrals => work.referrals.clone(),
        Source::Statement => work.statement.clone(),
        Source::Schedule => work.schedule.clone(),
        Source::FollowUps => work.follow_ups.clone(),
        Source::Note => None,
    }
}

impl Facts {
    /// Stills and photographs could be taken of the caller, and may be again.
    #[must_use]
    pub fn may_have_pictures(&self) -> bool {
        !self.excludes(Need::Stills)
    }

    fn excludes(&self, need: Need) -> bool {
        let unrecorded = self.ended.as_ref().is_some_and(|ended| !ended.recorded);
        match need {
            Need::Recording => unrecorded,
            // None can be taken of what isn't recorded.
            Need::Stills => unrecorded || self.consents.get(&ConsentKind::Stills).is_some_and(|answer| !answer.given),
        }
    }

    /// "3 stills, 1 photograph".
    pub(super) fn pictures_in_words(&self) -> Option<String> {
        let photographs = self.stills.iter().filter(|name| name.starts_with("photograph-")).count();
        let count = |n: usize, word: &str| match n {
            0 => None,
            1 => Some(format!("1 {word}")),
            n => Some(format!("{n} {word}s")),
        };
        let both = [count(self.stills.len() - photographs, "still"), count(photographs, "photograph")];
        let words: Vec<_> = both.into_iter().flatten().collect();
        (!words.is_empty()).then(|| words.join(", "))
    }

    /// "video: given, recording: refused". A refusal is as good a record as a yes.
    pub(crate) fn consents_in_words(&self) -> Option<String> {
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
