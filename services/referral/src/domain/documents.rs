//! The documents of a package, as they are sealed: made once, of what is there at that moment, and never again. Text, or JSON with the
//! name and version of its schema; docs/help.md says what is in each.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use ids::{CallId, ForceId, IncidentRef, OfficerId};
use serde_json::{Value, json};

use super::{
    ItemState, Note, Person, Referral, Statement, View,
    risk::{Assessment, Finding, Grading},
    schedule::{Handling, Schedule},
};

/// What is sealed. Personal data: no `Debug`.
pub struct Papers<'a> {
    /// Whose.
    pub force: &'a ForceId,
    /// Of which call.
    pub call: CallId,
    /// The force's reference.
    pub incident: Option<&'a IncidentRef>,
    /// 1, 2 ... of the call.
    pub number: u32,
    /// Who asks, and when.
    pub asked: (&'a OfficerId, DateTime<Utc>),
    /// Why something is missing.
    pub reason: &'a str,
    /// The checklist.
    pub view: &'a View,
    /// The officers' notes.
    pub notes: &'a BTreeMap<String, Note>,
    /// Every version, the newest first.
    pub statements: &'a [Statement],
    /// The present assessment, and what it comes to.
    pub risk: Option<(&'a Assessment, &'a Finding)>,
    /// The grade that was given last.
    pub grading: Option<&'a Grading>,
    /// Those who are part of it.
    pub people: &'a [Person],
    /// Those that were sent, each with its kind's title.
    pub referrals: &'a [(String, Referral)],
    /// What is to be disclosed.
    pub schedule: &'a Schedule,
}

/// One document.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    /// In the addendum: 1 to 64 of `[a-z0-9-]`.
    pub name: String,
    /// As evidence-store files it.
    pub kind: DocumentKind,
    /// `application/json`, `text/plain` or `application/pdf`.
    pub media_type: String,
    /// Its bytes. Personal data.
    pub body: Vec<u8>,
}

/// As evidence-store files it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentKind {
    /// Of an officer.
    Statement,
    /// Answers and grade.
    RiskAssessment,
    /// Whatever else.
    Other,
}

impl DocumentKind {
    /// As it is written.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Statement => "statement",
            Self::RiskAssessment => "risk-assessment",
            Self::Other => "other",
        }
    }

    /// The one that is written so.
    #[must_use]
    pub fn read(word: &str) -> Option<Self> {
        [Self::Statement, Self::RiskAssessment, Self::Other].into_iter().find(|kind| kind.word() == word)
    }
}

/// All of them, in the order in which they are added.
#[must_use]
pub fn documents(papers: &Papers<'_>) -> Vec<Document> {
    let text = |name: String, statement: &Statement| Document {
        name,
        kind: DocumentKind::Statement,
        media_type: "text/plain".to_owned(),
        body: statement.text.clone().into_bytes(),
    };
    // What the officer stands by: the last that they declared; without one the last.
    let declared = papers.statements.iter().find(|statement| statement.declared).or(papers.statements.first());
    let versions = papers.statements.iter().rev();
    let versions = versions.map(|statement| text(format!("statement-{}", statement.version), statement));
    let risk = papers
        .risk
        .map(|risk| json_of(papers, "risk-assessment", DocumentKind::RiskAssessment, assessed(papers, risk)));
    let other = |name, fields| json_of(papers, name, DocumentKind::Other, fields);
    let rest = [
        other("statements", json!({ "statements": papers.statements.iter().rev().map(version).collect::<Vec<_>>() })),
        other("people", json!({ "people": papers.people.iter().map(person).collect::<Vec<_>>() })),
        other("referrals", json!({ "referrals": papers.referrals.iter().map(referral).collect::<Vec<_>>() })),
        other("checklist", checklist(papers)),
        other("disclosure-schedule", schedule(papers.schedule)),
    ];
    declared
        .map(|statement| text("statement".to_owned(), statement))
        .into_iter()
        .chain(versions)
        .chain(risk)
        .chain(rest)
        .collect()
}

/// What every JSON document says of itself, and what is in it.
fn json_of(papers: &Papers<'_>, name: &str, kind: DocumentKind, fields: Value) -> Document {
    let mut whole = json!({
        "format": format!("alcove-package-{name}"),
        "version": 1,
        "force": papers.force,
        "call": papers.call,
        "incident": papers.incident.map(|incident| format!("{}/{}", incident.date, incident.number)),
        "package": papers.number,
        "made_at": time(papers.asked.1),
    });
    if let (Value::Object(whole), Value::Object(fields)) = (&mut whole, fields) {
        whole.extend(fields);
    }
    // A value that is made of texts, numbers and lists of them always has a text.
    let mut body = serde_json::to_vec_pretty(&whole).unwrap_or_default();
    body.push(b'\n');
    Document { name: name.to_owned(), kind, media_type: "application/json".to_owned(), body }
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn version(statement: &Statement) -> Value {
    json!({
        "statement": statement.version,
        "item": format!("statement-{}", statement.version),
        "declared": statement.declared,
        "officer": statement.saved_by,
        "saved_at": time(statement.saved_at),
    })
}

fn assessed(papers: &Papers<'_>, (assessment, finding): (&Assessment, &Finding)) -> Value {
    let answers = assessment.set.questions().iter().map(|question| {
        let answer = assessment.answers.get(&question.key);
        json!({
            "question": question.key,
            "text": question.text,
            "bold": question.bold,
            "choice": answer.map(|answer| &answer.given.choice),
            "answer": answer.and_then(|answer| question.choice(&answer.given.choice)).map(|choice| &choice.text),
            "words": answer.map(|answer| &answer.given.words),
            "note": answer.map(|answer| &answer.given.note),
            "said_at": answer.and_then(|answer| answer.given.said_at).map(time),
            "answer_version": answer.map(|answer| answer.version),
            "officer": answer.map(|answer| &answer.saved_by),
            "saved_at": answer.map(|answer| time(answer.saved_at)),
        })
    });
    let grading = papers.grading.map(|grading| {
        json!({
            "grade": grading.decision.grade.word(),
            "by": grading.decision.by.word(),
            "reason": grading.reason,
            "officer": grading.officer,
            "at": time(grading.at),
            "assessment_version": grading.version,
        })
    });
    json!({
        "assessment": assessment.id,
        "assessment_version": assessment.version,
        "question_set": { "id": assessment.set.id(), "version": assessment.set.version(), "title": assessment.set.title() },
        "answers": answers.collect::<Vec<_>>(),
        "finding": finding,
        "grading": grading,
    })
}

fn person(person: &Person) -> Value {
    json!({
        "person": person.id,
        "person_version": person.version,
        "details": person.details,
        "officer": person.saved_by,
        "saved_at": time(person.saved_at),
    })
}

fn referral((title, referral): &(String, Referral)) -> Value {
    json!({ "title": title, "referral": referral })
}

fn checklist(papers: &Papers<'_>) -> Value {
    let item = |item: &super::ViewItem| {
        let (state, evidence) = match &item.state {
            ItemState::Missing => ("missing", None),
            ItemState::Present(evidence) => ("present", Some(evidence)),
            ItemState::NotApplicable => ("not-applicable", None),
        };
        json!({
            "key": item.key, "title": item.title, "required": item.required, "state": state, "evidence": evidence,
        })
    };
    let note = |(key, note): (&String, &Note)| json!({ "item": key, "applies": note.applies, "text": note.text, "officer": note.by, "at": time(note.at) });
    json!({
        "asked_by": papers.asked.0,
        "missing_because": papers.reason,
        "score_percent": papers.view.score_percent,
        "items": papers.view.items.iter().map(item).collect::<Vec<_>>(),
        "notes": papers.notes.iter().map(note).collect::<Vec<_>>(),
    })
}

fn schedule(schedule: &Schedule) -> Value {
    let entries = schedule.entries.iter().map(|entry| {
        json!({
            "key": entry.key,
            "description": entry.description,
            "made_at": entry.at.map(time),
            "handling": match entry.handling {
                Handling::Evidence => "evidence",
                Handling::Unused => "unused",
                Handling::Sensitive => "sensitive",
            },
            "reason": entry.reason,
            "decided": !entry.is_new,
        })
    });
    json!({
        "schedule_version": schedule.version(),
        "officer": schedule.saved.as_ref().map(|(_, by, _)| by),
        "saved_at": schedule.saved.as_ref().map(|(.., at)| time(*at)),
        "current": schedule.current,
        "entries": entries.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::schedule::Schedule;

    fn statement(version: u32, declared: bool) -> Statement {
        let (saved_by, saved_at) = ("pc.a".parse().unwrap(), DateTime::UNIX_EPOCH);
        Statement { version, text: format!("version {version}"), declared, saved_by, saved_at }
    }

    fn made(statements: &[Statement]) -> Vec<Document> {
        let view = View { items: vec![], score_percent: 40 };
        let schedule = Schedule { saved: None, current: false, entries: vec![] };
        documents(&Papers {
            force: &"wmp".parse().unwrap(),
            call: uuid::Uuid::from_u128(1).into(),
            incident: None,
            number: 2,
            asked: (&"pc.a".parse().unwrap(), DateTime::UNIX_EPOCH),
            reason: "why",
            view: &view,
            notes: &BTreeMap::new(),
            statements,
            risk: None,
            grading: None,
            people: &[],
            referrals: &[],
            schedule: &schedule,
        })
    }

    #[test]
    fn the_statement_is_the_last_that_was_declared_and_every_version_is_beside_it() {
        let text = |statements: &[Statement]| {
            let made = made(statements);
            let text = made.iter().filter(|document| document.kind == DocumentKind::Statement);
            text.map(|one| (one.name.clone(), String::from_utf8(one.body.clone()).unwrap())).collect::<Vec<_>>()
        };
        let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let [first, second, third] =
            [("statement-1", "version 1"), ("statement-2", "version 2"), ("statement-3", "version 3")]
                .map(|(n, t)| pair(n, t));
        let all = [statement(3, false), statement(2, true), statement(1, true)];
        assert_eq!(text(&all), [pair("statement", "version 2"), first.clone(), second.clone(), third]);
        let drafts = [statement(2, false), statement(1, false)];
        assert_eq!(text(&drafts), [pair("statement", "version 2"), first, second]);
        assert_eq!(text(&[]), []);
    }

    #[test]
    fn the_same_is_the_same_bytes_and_says_what_it_is() {
        let (one, again) = (made(&[statement(1, true)]), made(&[statement(1, true)]));
        assert!(one == again);
        let named = |document: &&Document| document.media_type == "application/json";
        let names: Vec<_> = one.iter().filter(named).map(|document| document.name.as_str()).collect();
        assert_eq!(names, ["statements", "people", "referrals", "checklist", "disclosure-schedule"]);
        for document in one.iter().filter(named) {
            let json: Value = serde_json::from_slice(&document.body).unwrap();
            assert_eq!(
                (json["format"].clone(), json["version"].clone()),
                (format!("alcove-package-{}", document.name).into(), 1.into())
            );
            assert_eq!(
                (json["package"].clone(), json["made_at"].clone()),
                (2.into(), "1970-01-01T00:00:00.000000Z".into())
            );
        }
    }
}
