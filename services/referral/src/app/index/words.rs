//! What stands in the index, in words.

use crate::{
    app::{ReferralView, risk::RiskView},
    domain::{
        self, Child, ItemState, Known, Part, Stage, ViewItem,
        clock::{Deadline, Standing},
        schedule::{Entry, Handling, Schedule},
        sealing::{Sealing, SealingState},
        statement::moment,
    },
    print::{Clock, Grade, Item, Person, Referral, State, Statement},
};

pub(super) fn item(item: ViewItem) -> Item {
    let (state, evidence) = match item.state {
        ItemState::Missing => (State::Missing, String::new()),
        ItemState::Present(evidence) => (State::Present, evidence),
        ItemState::NotApplicable => (State::NotApplicable, String::new()),
    };
    Item { title: item.title, required: item.required, state, evidence }
}

pub(super) fn person(person: &domain::Person) -> Person {
    let details = &person.details;
    let part = match details.part {
        Part::Victim => "victim",
        Part::Suspect => "suspect",
        Part::Child => "child",
        Part::Other => "other",
    };
    let relationship = Some(details.relationship.as_str()).filter(|text| !text.is_empty());
    let about = |say: fn(&Child) -> &'static str| details.child.as_ref().map(say).unwrap_or_default().to_owned();
    Person {
        name: name(person),
        part: [Some(part), relationship].into_iter().flatten().collect::<Vec<_>>().join(", "),
        born: details.date_of_birth.map(|day| day.format("%-d %b %Y").to_string()).unwrap_or_default(),
        present: about(|child| known(child.present)),
        saw_or_heard: about(|child| known(child.saw_or_heard)),
        spoken_to: about(|child| match (child.spoken_to, child.spoken_to_alone) {
            (Known::Yes, Known::Yes) => "yes, alone",
            (Known::Yes, Known::No) => "yes, not alone",
            (said, _) => known(said),
        }),
    }
}

fn name(person: &domain::Person) -> String {
    format!("{} {}", person.details.given_name, person.details.family_name).trim().to_owned()
}

fn known(known: Known) -> &'static str {
    match known {
        Known::Yes => "yes",
        Known::No => "no",
        Known::Unknown => "not known",
        Known::NotAsked => "not asked",
    }
}

/// As it was saved last, and what has come since; nothing before the first. What is for the prosecutor alone is counted, and no more.
pub(super) fn schedule(schedule: &Schedule) -> Vec<String> {
    let line = |entry: &Entry| {
        let handling = match entry.handling {
            _ if entry.is_new => "not decided",
            Handling::Evidence => "evidence",
            Handling::Unused => "unused (MG6C)",
            Handling::Sensitive => return None,
        };
        let reason =
            if entry.reason.is_empty() || entry.is_new { String::new() } else { format!(": {}", entry.reason) };
        Some(format!("{} \u{2014} {handling}{reason}", entry.description))
    };
    let entries = if schedule.saved.is_some() { schedule.entries.as_slice() } else { &[] };
    let sensitive = entries.iter().filter(|entry| !entry.is_new && entry.handling == Handling::Sensitive).count();
    let counted = match sensitive {
        0 => None,
        1 => Some("1 entry is on the prosecutor's schedule of sensitive material (MG6D)".to_owned()),
        n => Some(format!("{n} entries are on the prosecutor's schedule of sensitive material (MG6D)")),
    };
    entries.iter().filter_map(line).chain(counted).collect()
}

pub(super) fn grade(risk: RiskView) -> Option<Grade> {
    let given = risk.grading?;
    Some(Grade {
        grade: given.decision.grade.word().to_uppercase(),
        because: given.decision.by.word().to_owned(),
        reason: given.reason,
        officer: given.officer.to_string(),
        at: given.at,
        is_outdated: !risk.is_graded,
    })
}

pub(super) fn referral(view: ReferralView, people: &[domain::Person]) -> Referral {
    let about = people.iter().find(|person| Some(person.id) == view.referral.person).map(name);
    let to_be = view.draft.and_then(|draft| draft.partner).map(|partner| partner.name);
    let told = view.referral.sent().map(|sent| {
        let name = sent.partner.as_ref().map(|partner| partner.name.clone());
        let by_hand = sent.by_hand.as_ref().map(|whom| format!("by hand: {}", whom.0));
        [name, by_hand].into_iter().flatten().collect::<Vec<_>>().join(", ")
    });
    let sent = view.referral.sent().map(|sent| (sent.at, sent.by.to_string()));
    let (acknowledged, outcome) = match view.referral.stage {
        Stage::Draft | Stage::Sent(_) => (None, None),
        Stage::Acknowledged(_, has) => (Some(has), None),
        Stage::Outcome(_, has, came) => (has, Some((came.at, came.in_words()))),
        Stage::Withdrawn(_, has, back) => (has, Some((back.at, format!("taken back: {}", back.why.0)))),
    };
    Referral {
        // A name on a line of its own: it may be one that is read from the right.
        kind: [Some(view.title), about].into_iter().flatten().collect::<Vec<_>>().join("\n"),
        partner: told.or(to_be).unwrap_or_default(),
        sent,
        acknowledged: acknowledged.map(|has| (has.at, has.by.0)),
        outcome,
    }
}

pub(super) fn clock(clock: Deadline) -> Clock {
    let state = match clock.standing() {
        Standing::Running => "running",
        Standing::Near => "near",
        Standing::Missed => "missed",
        Standing::Stopped => "done in time",
        Standing::StoppedLate => "done too late",
    };
    Clock { title: clock.title, due_at: clock.due_at, state: state.to_owned() }
}

/// An addendum that holds the package.
pub(super) fn sealed(sealing: &Sealing) -> Option<String> {
    let SealingState::Sealed(addendum, at) = &sealing.state else { return None };
    let (reference, at, by) = (&addendum.reference, moment(*at), &sealing.by);
    Some(format!("Addendum {reference}, sealed at {at}, asked for by {by}, score {} %", sealing.score_percent))
}

pub(super) fn statement(statement: &domain::Statement) -> Statement {
    let domain::Statement { version, declared, saved_by, saved_at, .. } = statement;
    Statement { version: *version, officer: saved_by.to_string(), at: *saved_at, declared: *declared }
}
