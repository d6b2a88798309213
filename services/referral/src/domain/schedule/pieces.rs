//! The material that there is about a call, from facts and from the work that is kept here. Of each what it is, and of which state of
//! it an officer has spoken.

use chrono::{DateTime, Utc};
use ids::{AssessmentId, CallId, ReferralId};

use super::Material;
use crate::domain::{Exhibit, Facts, Part, Person, Referral, Stage};

/// What is kept here about a call, beside facts. Personal data in it is only counted.
#[derive(Clone, Default)]
pub struct OnFile {
    /// Of each version of the statement: which, whether it is declared, when.
    pub statements: Vec<(u32, bool, DateTime<Utc>)>,
    /// Each assessment that was begun.
    pub assessments: Vec<Assessed>,
    /// Its referrals, each with its kind's title.
    pub referrals: Vec<(String, Referral)>,
    /// Those who are part of it.
    pub people: Vec<Person>,
    /// Of each note on an item of the package: the item's key and which of its notes, its title, when.
    pub notes: Vec<(String, String, DateTime<Utc>)>,
    /// Clare's Law applications: how many stages of each, and when the last.
    pub applications: Vec<(ReferralId, u64, Option<DateTime<Utc>>)>,
    /// Earlier calls that were judged to be of the same people: which, its reference, when it was.
    pub earlier: Vec<(CallId, String, DateTime<Utc>)>,
}

/// An assessment, but for what was answered.
#[derive(Debug, Clone)]
pub struct Assessed {
    /// Which.
    pub id: AssessmentId,
    /// Of its question set.
    pub title: String,
    /// Of its answers.
    pub version: u64,
    /// When it was begun.
    pub at: DateTime<Utc>,
    /// The grade that was given last on it, and the number of that grading.
    pub grade: Option<(String, i64)>,
}

/// One piece of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Stable.
    pub key: String,
    /// What kind of thing it is.
    pub material: Material,
    /// Another if it has changed.
    pub about: String,
    /// When it was made, as far as that is known.
    pub at: Option<DateTime<Utc>>,
    /// What its title says of it.
    pub known: Vec<(&'static str, String)>,
}

impl Piece {
    fn new(key: impl Into<String>, material: Material, about: impl Into<String>) -> Self {
        Self { key: key.into(), material, about: about.into(), at: None, known: vec![] }
    }

    fn made(self, at: DateTime<Utc>) -> Self {
        Self { at: Some(at), ..self }
    }

    fn known(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.known.push((name, value.into()));
        self
    }
}

/// All of it.
#[must_use]
pub fn pieces(facts: &Facts, file: &OnFile) -> Vec<Piece> {
    let recorded = facts.exhibit.iter().flat_map(|exhibit| exhibit_of(exhibit, facts));
    let people = people(&file.people);
    let pictures = facts.stills.iter().map(|name| picture(name));
    let statements = file.statements.iter().map(|(version, declared, at)| {
        let material = if *declared { Material::DeclaredStatement } else { Material::DraftStatement };
        let piece = Piece::new(format!("statement/{version}"), material, version.to_string());
        piece.made(*at).known("version", version.to_string())
    });
    let referrals = file.referrals.iter().filter_map(|(title, one)| referral(title, one));
    let notes = file.notes.iter().map(|(key, title, at)| {
        Piece::new(format!("note/{key}"), Material::Note, at.to_rfc3339()).made(*at).known("title", title)
    });
    let applications = file.applications.iter().map(|(id, stages, at)| {
        let piece = Piece::new(format!("clares-law/{id}"), Material::ClaresLaw, stages.to_string());
        Piece { at: *at, ..piece }
    });
    let earlier = file.earlier.iter().map(|(call, incident, at)| {
        let piece = Piece::new(format!("earlier-call/{call}"), Material::EarlierCall, "same people");
        piece.made(*at).known("title", incident)
    });
    recorded
        .chain(pictures)
        .chain(consents(facts))
        .chain(statements)
        .chain(file.assessments.iter().map(assessment))
        .chain(people)
        .chain(referrals)
        .chain(applications)
        .chain(earlier)
        .chain(notes)
        .collect()
}

/// The recording, and the documents that its session leaves in the exhibit. What the seal doesn't hold yet may still grow.
fn exhibit_of(exhibit: &Exhibit, facts: &Facts) -> Vec<Piece> {
    let state = exhibit.seal.as_deref().unwrap_or("not sealed");
    let shown: String = exhibit.seal.iter().flat_map(|seal| seal.chars().take(16)).collect();
    let seal = if shown.is_empty() { "not sealed yet".to_owned() } else { format!("seal {shown}") };
    let ended = facts.ended.as_ref().and_then(|ended| ended.times).map(|(_, ended)| ended);
    let of = |key: &str, material| Piece { at: ended, ..Piece::new(key, material, state) };
    let documents = [
        ("chat-transcript", Material::ChatTranscript),
        ("chapters", Material::Chapters),
        ("records", Material::Records),
    ];
    let recording = of("recording", Material::Recording).known("reference", &exhibit.reference).known("seal", seal);
    let documents = documents.map(|(key, material)| of(key, material).known("reference", &exhibit.reference));
    [recording].into_iter().chain(documents).collect()
}

fn picture(name: &str) -> Piece {
    let (folder, material) = match name.starts_with("photograph-") {
        true => ("photograph", Material::Photograph),
        false => ("still", Material::Still),
    };
    Piece::new(format!("{folder}/{name}"), material, name).known("name", name)
}

/// The last word on each of them is of some version of the call at intake.
fn consents(facts: &Facts) -> Option<Piece> {
    let each = facts.consents_each.children.values().chain(facts.consents_each.referrals.values());
    let last = facts.consents.values().chain(each).map(|answer| answer.version).max()?;
    Some(Piece::new("consents", Material::Consents, last.to_string()))
}

fn assessment(one: &Assessed) -> Piece {
    let (grade, grading) = one.grade.clone().unwrap_or(("not given".to_owned(), 0));
    let about = format!("{} {grading}", one.version);
    let piece = Piece::new(format!("assessment/{}", one.id), Material::Assessment, about);
    piece.made(one.at).known("title", &one.title).known("grade", grade)
}

/// What was sent, and what has become of it; a draft is no document.
fn referral(title: &str, one: &Referral) -> Option<Piece> {
    let sent = one.sent()?;
    let after = match &one.stage {
        Stage::Outcome(.., outcome) => format!("outcome {}", outcome.at.to_rfc3339()),
        Stage::Withdrawn(.., withdrawn) => format!("withdrawn {}", withdrawn.at.to_rfc3339()),
        Stage::Draft | Stage::Sent(_) | Stage::Acknowledged(..) => "sent".to_owned(),
    };
    let about = format!("{} {after}", sent.version);
    Some(Piece::new(format!("referral/{}", one.id), Material::Referral, about).made(sent.at).known("title", title))
}

/// The list of them, and each child by itself.
fn people(people: &[Person]) -> Vec<Piece> {
    let Some(last) = people.iter().map(|person| person.saved_at).max() else { return vec![] };
    let versions: Vec<_> = people.iter().map(|person| format!("{} {}", person.id, person.version)).collect();
    let all = Piece::new("people", Material::People, versions.join(", ")).made(last);
    let children = people.iter().filter(|person| person.details.part == Part::Child).map(|child| {
        Piece::new(format!("child/{}", child.id), Material::Child, child.version.to_string()).made(child.saved_at)
    });
    [all].into_iter().chain(children).collect()
}
