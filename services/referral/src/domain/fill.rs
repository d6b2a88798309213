//! A referral's lines, from what is known of the case: the officer confirms, and never types again.

use std::fmt;

use ids::{IncidentRef, PersonId};
use serde::{Deserialize, Serialize};

use super::{
    kind::{Contact, Kind},
    person::{Details, Known, Part, Person, SafeContact, Way},
};

/// One line. Personal data.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Stable: `victim.name`.
    pub key: String,
    /// For the screen and the partner.
    pub label: String,
    /// Ready for the partner; empty if not known.
    pub value: String,
    /// It can't be sent without.
    pub required: bool,
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: [redacted]", self.key)
    }
}

/// What is known of the risk, in words. Personal data.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct RiskWords {
    /// The grade that was given; empty before that.
    pub grade: String,
    /// Why it is what it is.
    pub because: String,
    /// What was asked, and answered.
    pub answers: Vec<(String, String)>,
}

impl fmt::Debug for RiskWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What a referral is filled from.
#[derive(Debug, Clone, Copy)]
pub struct Story<'a> {
    /// The force's reference.
    pub incident: &'a IncidentRef,
    /// Those who are part of it.
    pub people: &'a [Person],
    /// What was found of the risk.
    pub risk: &'a RiskWords,
}

/// Who is spoken of.
struct Cast<'a> {
    story: Story<'a>,
    victim: Option<&'a Details>,
    suspect: Option<&'a Details>,
    child: Option<&'a Details>,
    contact: Contact,
    /// It is made about where they live, and can't be without.
    needs_address: bool,
}

type Value = fn(&Cast<'_>) -> String;

/// Every field that a kind can tell.
const FIELDS: [(&str, &str, Value); 32] = [
    ("victim.name", "Name", |c| of(c.victim, name)),
    ("victim.date_of_birth", "Date of birth", |c| of(c.victim, birth)),
    ("victim.gender", "Gender", |c| of(c.victim, |d| d.gender.clone())),
    ("victim.language", "Language", |c| {
        of(c.victim, |d| if d.language.is_empty() { "en".into() } else { d.language.clone() })
    }),
    ("victim.interpreter", "Interpreter needed", |c| of(c.victim, |d| yes(d.interpreter_needed))),
    ("victim.address", "Address", where_they_live),
    ("victim.postcode", "Postcode", |c| of(c.victim, |d| d.postcode.clone())),
    ("victim.phone", "Phone", |c| reach(c, &[Way::Phone, Way::Sms], |d| d.phone.clone())),
    ("victim.email", "E-mail", |c| reach(c, &[Way::Email], |d| d.email.clone())),
    ("victim.needs", "Needs", |c| of(c.victim, |d| d.needs.clone())),
    ("suspect.name", "Suspect: name", |c| of(c.suspect, name)),
    ("suspect.date_of_birth", "Suspect: date of birth", |c| of(c.suspect, birth)),
    ("suspect.relationship", "Suspect: to the victim", |c| of(c.suspect, |d| d.relationship.clone())),
    ("suspect.address", "Suspect: address", |c| of(c.suspect, address)),
    ("suspect.phone", "Suspect: phone", |c| of(c.suspect, |d| d.phone.clone())),
    ("children", "Children", children),
    ("child.name", "Child: name", |c| of(c.child, name)),
    ("child.date_of_birth", "Child: date of birth", |c| of(c.child, birth)),
    ("child.relationship", "Child: to the victim", |c| of(c.child, |d| d.relationship.clone())),
    ("child.needs", "Child: needs", |c| of(c.child, |d| d.needs.clone())),
    ("child.school", "Child: school", |c| child(c, |child| child.school.clone())),
    ("child.present", "Child: in the house", |c| child(c, |child| known(child.present))),
    ("child.where", "Child: where", |c| child(c, |child| child.place.clone())),
    ("child.saw_or_heard", "Child: saw or heard it", |c| child(c, |child| known(child.saw_or_heard))),
    ("child.spoken_to", "Child: spoken to", |c| child(c, |child| known(child.spoken_to))),
    ("child.spoken_to_alone", "Child: spoken to alone", |c| child(c, |child| known(child.spoken_to_alone))),
    ("child.adult_beside", "Child: adult beside them", |c| child(c, |child| child.adult_beside.clone())),
    ("child.voice", "Child: what they said", |c| child(c, |child| child.voice.clone())),
    ("incident.reference", "Police reference", |c| format!("{}/{}", c.story.incident.date, c.story.incident.number)),
    ("incident.date", "Date", |c| c.story.incident.date.to_string()),
    ("risk.grade", "Risk", |c| c.story.risk.grade.clone()),
    ("risk.because", "Risk: why", |c| c.story.risk.because.clone()),
];

/// Is told whole, a line an answer.
const ANSWERS: &str = "risk.answers";

/// Whether there is such a field.
#[must_use]
pub fn is_field(key: &str) -> bool {
    key == ANSWERS || FIELDS.iter().any(|(field, ..)| *field == key)
}

/// Fills a referral of that kind, about that child if it is about one. Lines that aren't known are empty.
#[must_use]
pub fn fill(kind: &Kind, story: Story<'_>, about: Option<PersonId>) -> Vec<Field> {
    let first = |part| story.people.iter().find(|person| person.details.part == part).map(|person| &person.details);
    let cast = Cast {
        story,
        victim: first(Part::Victim),
        suspect: first(Part::Suspect),
        child: story.people.iter().find(|person| Some(person.id) == about).map(|person| &person.details),
        contact: kind.contact,
        needs_address: kind.required.iter().any(|key| key == "victim.address"),
    };
    let told = |key: &String, required| {
        if key == ANSWERS {
            return answers(story.risk, required);
        }
        let found = FIELDS.iter().find(|(field, ..)| field == key);
        let line = |(key, label, value): &(&str, &str, Value)| line(key, label, value(&cast), required);
        found.map(line).into_iter().collect()
    };
    let required = kind.required.iter().flat_map(|key| told(key, true));
    let optional = kind.optional.iter().flat_map(|key| told(key, false));
    required.chain(optional).chain(safety(&cast)).collect()
}

/// Keys of the required lines that are empty.
#[must_use]
pub fn missing(fields: &[Field]) -> Vec<String> {
    fields.iter().filter(|field| field.required && field.value.is_empty()).map(|field| field.key.clone()).collect()
}

fn line(key: &str, label: &str, value: String, required: bool) -> Field {
    Field { key: key.to_owned(), label: label.to_owned(), value, required }
}

/// One line each; if there is none and there must be, the one that is missing.
fn answers(risk: &RiskWords, required: bool) -> Vec<Field> {
    if risk.answers.is_empty() && required {
        return vec![line(ANSWERS, "Risk: answers", String::new(), true)];
    }
    let answer = |(n, (question, answer)): (usize, &(String, String))| {
        line(&format!("{ANSWERS}.{}", n + 1), question, answer.clone(), false)
    };
    risk.answers.iter().enumerate().map(answer).collect()
}

/// How the victim may be reached without danger, for who may have to.
fn safety(cast: &Cast<'_>) -> Vec<Field> {
    if cast.contact == Contact::None {
        let never = "Do not contact the family about this.".to_owned();
        return vec![line("contact", "Contact", never, false)];
    }
    let none = SafeContact::default();
    let safe = cast.victim.and_then(|victim| victim.safe_contact.as_ref()).unwrap_or(&none);
    let ways: Vec<_> = safe.ways.iter().map(|way| way_in_words(*way)).collect();
    vec![
        line("victim.safe_contact.ways", "Safe to contact by", ways.join(", "), cast.contact == Contact::Safe),
        line("victim.safe_contact.when", "Safe when", safe.when.clone(), false),
        line("victim.safe_contact.message", "A message may be left", known(safe.message_may_be_left), false),
        line("victim.safe_contact.never", "Never", safe.never.clone(), false),
    ]
}

/// Who will contact them is told it if letters are safe, or if it is what the referral is about.
fn where_they_live(cast: &Cast<'_>) -> String {
    if cast.needs_address { of(cast.victim, address) } else { reach(cast, &[Way::Post], address) }
}

/// What a partner who will contact them is told of a number or address: nothing, unless that way is safe.
fn reach(cast: &Cast<'_>, by: &[Way], what: fn(&Details) -> String) -> String {
    let is_safe = |victim: &Details| {
        let ways = victim.safe_contact.as_ref().map(|contact| contact.ways.as_slice()).unwrap_or_default();
        by.iter().any(|way| ways.contains(way))
    };
    of(cast.victim, |victim| match cast.contact {
        Contact::Full => what(victim),
        Contact::Safe if is_safe(victim) => what(victim),
        Contact::Safe | Contact::None => String::new(),
    })
}

fn of(person: Option<&Details>, what: impl Fn(&Details) -> String) -> String {
    person.map(what).unwrap_or_default()
}

fn child(cast: &Cast<'_>, what: fn(&super::Child) -> String) -> String {
    cast.child.and_then(|details| details.child.as_ref()).map(what).unwrap_or_default()
}

fn name(details: &Details) -> String {
    [details.given_name.as_str(), &details.family_name]
        .into_iter()
        .filter(|n| !n.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn birth(details: &Details) -> String {
    details.date_of_birth.map(|date| date.format("%-d %B %Y").to_string()).unwrap_or_default()
}

fn address(details: &Details) -> String {
    let lines = details.address.lines().chain([details.postcode.as_str()]);
    lines.map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(", ")
}

fn children(cast: &Cast<'_>) -> String {
    let children = cast.story.people.iter().filter(|person| person.details.part == Part::Child);
    let one = |person: &Person| match birth(&person.details) {
        born if born.is_empty() => name(&person.details),
        born => format!("{}, born {born}", name(&person.details)),
    };
    children.map(one).filter(|one| !one.is_empty()).collect::<Vec<_>>().join("; ")
}

fn yes(is: bool) -> String {
    if is { "yes".to_owned() } else { "no".to_owned() }
}

fn known(known: Known) -> String {
    match known {
        Known::NotAsked => "",
        Known::Yes => "yes",
        Known::No => "no",
        Known::Unknown => "asked, and not known",
    }
    .to_owned()
}

fn way_in_words(way: Way) -> &'static str {
    match way {
        Way::Phone => "phone",
        Way::Sms => "text message",
        Way::Email => "e-mail",
        Way::Post => "post",
        Way::SomebodyElse => "somebody else (see below)",
    }
}

#[cfg(test)]
mod tests;
