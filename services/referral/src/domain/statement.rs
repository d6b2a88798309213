//! The officer's statement, drafted from what is on record and nothing else: who called, when, what was asked and answered, in whose
//! words, what was done. What the record doesn't say is left as [`BLANK`] for the officer to fill in or strike out. The declaration is
//! that of section 9 of the Criminal Justice Act 1967, as on form MG11.

#[cfg(test)]
mod tests;

use std::fmt::Write;

use chrono::{DateTime, Utc};
use chrono_tz::Europe::London;
use ids::OfficerId;

use super::{Known, Part, Person};

/// The most characters of a statement.
const LENGTH: usize = 50_000;

/// What the officer has to fill in.
pub const BLANK: &str = "[...]";

const DECLARATION: &str = "This statement (consisting of [...] pages each signed by me) is true to the best of my knowledge and belief and I \
     make it knowing that, if it is tendered in evidence, I shall be liable to prosecution if I have wilfully stated in it anything which I \
     know to be false, or do not believe to be true.";

/// What is on record about a call, as far as a statement may say it. Personal data: no `Debug`.
#[derive(Clone, Default)]
pub struct OnRecord {
    /// Who makes the statement.
    pub officer: String,
    /// Who spoke with the caller, if that is known: what another has done, the maker doesn't say of themselves.
    pub spoke: Option<String>,
    /// The force's reference of the incident.
    pub incident: Option<String>,
    /// When the session began and ended, as far as it has.
    pub session: (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
    /// Whether anything was recorded, once that is known.
    pub recorded: Option<bool>,
    /// What was agreed to and refused, in words.
    pub consents: Option<String>,
    /// Those who are part of it.
    pub people: Vec<Person>,
    /// As the officer marked them.
    pub chapters: Vec<Chapter>,
    /// What was written.
    pub lines: Vec<Line>,
    /// What was asked and answered, of the present assessment.
    pub answers: Vec<Told>,
    /// The grade that was given, in words, and why.
    pub grade: Option<(String, String)>,
    /// What was set going, each in words.
    pub referrals: Vec<String>,
    /// References of the exhibit and its addenda.
    pub exhibits: Vec<String>,
}

/// A chapter of the recording.
#[derive(Clone)]
pub struct Chapter {
    /// When it began.
    pub at: DateTime<Utc>,
    /// "account", "child" ...
    pub kind: String,
    /// The officer's own words.
    pub note: String,
}

/// A line of the chat.
#[derive(Clone)]
pub struct Line {
    /// When it was written.
    pub at: DateTime<Utc>,
    /// "caller", "officer" ...
    pub role: String,
    /// In English, or as it was written.
    pub words: String,
}

/// A question that was answered.
#[derive(Clone)]
pub struct Told {
    /// As it was asked.
    pub question: String,
    /// As it was answered, and in the caller's words if they were written down.
    pub answer: String,
}

/// A version of a statement. Each is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Statement {
    /// 1, 2, 3 ...
    pub version: u32,
    /// As the officer wrote it.
    pub text: String,
    /// They declare it to be true.
    pub declared: bool,
    /// Whose.
    pub saved_by: OfficerId,
    /// When.
    pub saved_at: DateTime<Utc>,
}

/// Why a version isn't kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadStatement {
    /// It was written over another version than the last one.
    #[error("the statement was changed meanwhile")]
    Changed,
    /// Nothing, or too much.
    #[error("a statement is 1 to 50,000 characters")]
    Length,
    /// It is declared to be true, and something in it is still to be filled in.
    #[error("a statement that is declared has nothing left to fill in")]
    Unfinished,
}

impl Statement {
    /// The version after `last`, written on version `base` of it.
    ///
    /// # Errors
    /// Another version came between, or it can't be one.
    pub fn after(last: u32, base: u32, written: Self) -> Result<Self, BadStatement> {
        if base != last {
            return Err(BadStatement::Changed);
        }
        if written.text.contains('\0') || written.text.trim().is_empty() || written.text.chars().count() > LENGTH {
            return Err(BadStatement::Length);
        }
        if written.declared && written.text.contains(BLANK) {
            return Err(BadStatement::Unfinished);
        }
        Ok(Self { version: last + 1, ..written })
    }
}

impl OnRecord {
    /// Whoever makes it is the one who spoke with the caller, as far as is known.
    fn is_own(&self) -> bool {
        self.spoke.as_ref().is_none_or(|spoke| *spoke == self.officer)
    }
}

/// The draft.
#[must_use]
pub fn draft(on: &OnRecord) -> String {
    let paragraphs = [heading(on), call(on), people(on), account(on), written(on), risk(on), help(on), exhibits(on)];
    let mut text = paragraphs.into_iter().flatten().collect::<Vec<_>>().join("\n\n");
    let _ = write!(text, "\n\n{DECLARATION}\n\nSigned: {BLANK}    Dated: {BLANK}\n");
    text
}

fn heading(on: &OnRecord) -> Option<String> {
    Some(format!(
        "WITNESS STATEMENT\nStatement of: {}\nIncident: {}\nOccupation: police officer",
        or_blank(&on.officer),
        on.incident.as_deref().unwrap_or(BLANK),
    ))
}

fn call(on: &OnRecord) -> Option<String> {
    let (began, ended) = on.session;
    let mut text = format!(
        "I am {}. At {} {} spoke by video with {}, who had rung the police about the incident above.",
        or_blank(&on.officer),
        began.map_or(BLANK.to_owned(), moment),
        if on.is_own() { "I" } else { on.spoke.as_deref().unwrap_or(BLANK) },
        on.people.iter().find(|person| person.details.part == Part::Victim).map_or(BLANK.to_owned(), name),
    );
    if let Some(ended) = ended {
        let _ = write!(text, " The call ended at {}.", moment(ended));
    }
    match on.recorded {
        Some(true) => text.push_str(" It was recorded."),
        Some(false) => text.push_str(" It was not recorded."),
        None => {}
    }
    if let Some(consents) = &on.consents {
        let _ = write!(text, " Consent, as it was taken: {consents}.");
    }
    Some(text)
}

fn people(on: &OnRecord) -> Option<String> {
    let mut lines = vec![];
    for person in on.people.iter().filter(|person| person.details.part != Part::Victim) {
        let details = &person.details;
        let part = match details.part {
            Part::Suspect => "the person complained of",
            Part::Child => "a child",
            Part::Other | Part::Victim => "another person",
        };
        let mut line = format!("{} ({part}", name(person));
        if !details.relationship.is_empty() {
            let _ = write!(line, ", {}", details.relationship);
        }
        if let Some(born) = details.date_of_birth {
            let _ = write!(line, ", born {}", born.format("%-d %B %Y"));
        }
        line.push(')');
        if let Some(child) = &details.child {
            said(&mut line, child.present, "was in the house", "was not in the house");
            said(&mut line, child.saw_or_heard, "saw or heard what happened", "did not see or hear what happened");
            said(&mut line, child.spoken_to, "was spoken to", "was not spoken to");
            if child.spoken_to == Known::Yes {
                said(&mut line, child.spoken_to_alone, "with nobody of the family beside them", "not alone");
            }
            if !child.adult_beside.is_empty() {
                let _ = write!(line, "; beside them: {}", child.adult_beside);
            }
            if !child.voice.is_empty() {
                let _ = write!(line, "; said: \u{201c}{}\u{201d}", child.voice);
            }
        }
        lines.push(format!("{line}."));
    }
    (!lines.is_empty()).then(|| format!("These people were spoken of:\n{}", lines.join("\n")))
}

/// What isn't known is not said.
fn said(line: &mut String, known: Known, yes: &str, no: &str) {
    let words = match known {
        Known::Yes => yes,
        Known::No => no,
        Known::NotAsked | Known::Unknown => return,
    };
    let _ = write!(line, "; {words}");
}

fn account(on: &OnRecord) -> Option<String> {
    let line = |chapter: &Chapter| {
        let note = if chapter.note.is_empty() { BLANK } else { &chapter.note };
        format!("{} ({}): {note}", clock(chapter.at), chapter.kind)
    };
    let lines: Vec<_> = on.chapters.iter().map(line).collect();
    let who = if on.is_own() { "I marked these parts of the call" } else { "These parts of the call were marked" };
    (!lines.is_empty()).then(|| format!("{who} as it went on, with these notes:\n{}", lines.join("\n")))
}

fn written(on: &OnRecord) -> Option<String> {
    let line = |line: &Line| format!("{} {}: \u{201c}{}\u{201d}", clock(line.at), line.role, line.words);
    let lines: Vec<_> = on.lines.iter().map(line).collect();
    (!lines.is_empty()).then(|| format!("These words were written in the call:\n{}", lines.join("\n")))
}

fn risk(on: &OnRecord) -> Option<String> {
    let line = |told: &Told| format!("\u{201c}{}\u{201d} {}", told.question, told.answer);
    let mut text = String::new();
    if !on.answers.is_empty() {
        let lines: Vec<_> = on.answers.iter().map(line).collect();
        let who = if on.is_own() { "I asked these questions, which were" } else { "These questions were asked, and" };
        text = format!("{who} answered as follows:\n{}", lines.join("\n"));
    }
    if let Some((grade, reason)) = &on.grade {
        let gap = if text.is_empty() { "" } else { "\n" };
        let who = if on.is_own() { "I assessed the risk" } else { "The risk was assessed" };
        let _ = write!(text, "{gap}{who} as {grade}");
        text.push_str(&if reason.is_empty() { ".".to_owned() } else { format!(", because: {reason}.") });
    }
    (!text.is_empty()).then_some(text)
}

fn help(on: &OnRecord) -> Option<String> {
    let who = if on.is_own() { "I set the following going" } else { "The following was set going" };
    (!on.referrals.is_empty()).then(|| format!("{who}:\n{}", on.referrals.join("\n")))
}

fn exhibits(on: &OnRecord) -> Option<String> {
    (!on.exhibits.is_empty()).then(|| format!("I produce as exhibits: {}.", on.exhibits.join(", ")))
}

fn name(person: &Person) -> String {
    let details = &person.details;
    let both = format!("{} {}", details.given_name, details.family_name);
    or_blank(both.trim()).to_owned()
}

fn or_blank(text: &str) -> &str {
    if text.is_empty() { BLANK } else { text }
}

/// "09:14 on 24 November 2026", by the clocks in London.
#[must_use]
pub fn moment(at: DateTime<Utc>) -> String {
    at.with_timezone(&London).format("%H:%M on %-d %B %Y").to_string()
}

fn clock(at: DateTime<Utc>) -> String {
    at.with_timezone(&London).format("%H:%M:%S").to_string()
}
