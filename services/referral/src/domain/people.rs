//! Who may be written down, and changed, and taken out. Rules of one person, and between them.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate};
use ids::{PersonId, PhoneNumber};

use super::person::{Details, Part, Person};

/// The most people of a case.
const MOST: usize = 32;
/// Nobody is older, in years.
const OLDEST: i32 = 130;
/// A child is younger, in years.
const OF_AGE: i32 = 18;

/// What an officer wants written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saving {
    /// Who; none for somebody new.
    pub id: Option<PersonId>,
    /// The version that it was made on; 0 for somebody new.
    pub version: u64,
    /// All that is known of them now.
    pub details: Details,
}

/// Why a person can't be saved, or taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PeopleRefusal {
    /// Not of this case, or no more.
    #[error("the case has no such person")]
    Unknown,
    /// It was changed since, by somebody else or another page.
    #[error("it was changed meanwhile: look again, and change that")]
    ChangedMeanwhile,
    /// There are enough.
    #[error("a case has up to 32 people")]
    TooMany,
    /// A referral about them was sent.
    #[error("a referral about them was sent")]
    InUse,
    /// What is written isn't so.
    #[error(transparent)]
    Invalid(#[from] InvalidPerson),
}

/// A field that can't be what it says. Never quotes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {rule}")]
pub struct InvalidPerson {
    /// As in people.proto.
    pub field: &'static str,
    /// What it has to be.
    pub rule: &'static str,
}

/// Whether this may be saved among these people, on that day; the version that it becomes.
///
/// # Errors
/// Says why not.
pub fn save(people: &[Person], saving: &Saving, today: NaiveDate) -> Result<u64, PeopleRefusal> {
    let version = match saving.id {
        Some(id) => known(people, id, saving.version)?.version + 1,
        None if saving.version != 0 => return Err(PeopleRefusal::ChangedMeanwhile),
        None if people.len() >= MOST => return Err(PeopleRefusal::TooMany),
        None => 1,
    };
    alone(&saving.details, today)?;
    let others: Vec<&Details> = people.iter().filter(|p| Some(p.id) != saving.id).map(|p| &p.details).collect();
    if saving.details.part == Part::Victim && others.iter().any(|other| other.part == Part::Victim) {
        return Err(invalid("role", "a case has one victim").into());
    }
    let everybody: Vec<&Details> = others.into_iter().chain([&saving.details]).collect();
    in_order_of_birth(&everybody)?;
    Ok(version)
}

/// Whether this person may be taken out; the version that it becomes. `in_use`: a referral about them was sent.
///
/// # Errors
/// Says why not.
pub fn remove(people: &[Person], id: PersonId, version: u64, in_use: bool) -> Result<u64, PeopleRefusal> {
    let person = known(people, id, version)?;
    if in_use { Err(PeopleRefusal::InUse) } else { Ok(person.version + 1) }
}

fn known(people: &[Person], id: PersonId, version: u64) -> Result<&Person, PeopleRefusal> {
    let person = people.iter().find(|person| person.id == id).ok_or(PeopleRefusal::Unknown)?;
    if person.version == version { Ok(person) } else { Err(PeopleRefusal::ChangedMeanwhile) }
}

const fn invalid(field: &'static str, rule: &'static str) -> InvalidPerson {
    InvalidPerson { field, rule }
}

/// What goes by itself.
fn alone(details: &Details, today: NaiveDate) -> Result<(), InvalidPerson> {
    let Details { given_name, family_name, gender, language, address, postcode, phone, email, .. } = details;
    line("given_name", given_name, 100)?;
    line("family_name", family_name, 100)?;
    line("gender", gender, 40)?;
    lines("address", address, 300)?;
    line("relationship", &details.relationship, 60)?;
    lines("needs", &details.needs, 500)?;
    line("email", email, 100)?;
    if !email.is_empty() && !is_address(email) {
        return Err(invalid("email", "one address, as name@host"));
    }
    if !phone.is_empty() && phone.parse::<PhoneNumber>().is_err() {
        return Err(invalid("phone", "E.164: '+' and 7 to 15 digits"));
    }
    let word = |text: &str, also: char| text.chars().all(|c| c.is_ascii_alphanumeric() || c == also);
    if language.len() > 35 || !word(language, '-') {
        return Err(invalid("language", "a BCP 47 tag, such as en or pt-BR"));
    }
    if postcode.len() > 10 || !word(postcode, ' ') {
        return Err(invalid("postcode", "up to 10 letters, digits and spaces"));
    }
    if let Some(born) = details.date_of_birth {
        if born > today {
            return Err(invalid("date_of_birth", "born in the future"));
        }
        if years(born, today) > OLDEST {
            return Err(invalid("date_of_birth", "nobody is older than 130"));
        }
        if details.part == Part::Child && years(born, today) >= OF_AGE {
            return Err(invalid("date_of_birth", "a child is under 18"));
        }
    }
    contact(details)?;
    child(details)
}

fn contact(details: &Details) -> Result<(), InvalidPerson> {
    let Some(contact) = &details.safe_contact else { return Ok(()) };
    if details.part != Part::Victim {
        return Err(invalid("safe_contact", "of the victim only"));
    }
    lines("safe_contact.when", &contact.when, 200)?;
    lines("safe_contact.never", &contact.never, 200)?;
    let once: BTreeSet<_> = contact.ways.iter().collect();
    if once.len() < contact.ways.len() {
        return Err(invalid("safe_contact.ways", "each way once"));
    }
    Ok(())
}

fn child(details: &Details) -> Result<(), InvalidPerson> {
    let Some(child) = &details.child else { return Ok(()) };
    if details.part != Part::Child {
        return Err(invalid("child", "of a child only"));
    }
    line("child.school", &child.school, 150)?;
    line("child.where", &child.place, 100)?;
    line("child.adult_beside", &child.adult_beside, 100)?;
    lines("child.voice", &child.voice, 2000)?;
    let once: BTreeSet<_> = child.chapters.iter().collect();
    if once.len() < child.chapters.len() || child.chapters.len() > 100 {
        return Err(invalid("child.chapters", "up to 100, each once"));
    }
    Ok(())
}

fn line(field: &'static str, text: &str, most: usize) -> Result<(), InvalidPerson> {
    if text.contains('\n') {
        return Err(invalid(field, "one line"));
    }
    lines(field, text, most)
}

fn lines(field: &'static str, text: &str, most: usize) -> Result<(), InvalidPerson> {
    if text.chars().count() > most {
        return Err(invalid(field, "too long"));
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(invalid(field, "no control characters"));
    }
    Ok(())
}

fn is_address(text: &str) -> bool {
    let graphic = text.chars().all(|c| !c.is_whitespace() && !matches!(c, ',' | ';' | '<' | '>' | '"'));
    graphic
        && text
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.contains('@'))
}

/// Whole years between.
fn years(born: NaiveDate, today: NaiveDate) -> i32 {
    let had_birthday = (today.month(), today.day()) >= (born.month(), born.day());
    today.year() - born.year() - i32::from(!had_birthday)
}

/// Who is somebody's child by what `relationship` says is younger. Only plain words are understood: of "her sister's son"
/// nothing is concluded, for whoever is refused wrongly can't be helped.
fn in_order_of_birth(people: &[&Details]) -> Result<(), InvalidPerson> {
    let of = |part| people.iter().copied().filter(move |details: &&Details| details.part == part);
    let Some(victim) = of(Part::Victim).next() else { return Ok(()) };
    let parent_too = |suspect: &&Details| is_parent_of_the_children(&suspect.relationship);
    for person in people {
        match kin(&person.relationship) {
            Some(Kin::Child { of_both }) => {
                younger(person, victim)?;
                let both = of(Part::Suspect).filter(|suspect| of_both || parent_too(suspect));
                both.into_iter().try_for_each(|suspect| younger(person, suspect))?;
            }
            Some(Kin::Parent) => younger(victim, person)?,
            None => {}
        }
    }
    Ok(())
}

fn younger(child: &Details, parent: &Details) -> Result<(), InvalidPerson> {
    match (child.date_of_birth, parent.date_of_birth) {
        (Some(child), Some(parent)) if child <= parent => {
            Err(invalid("date_of_birth", "a child is younger than its parent"))
        }
        _ => Ok(()),
    }
}

/// What somebody is to the victim.
enum Kin {
    Child { of_both: bool },
    Parent,
}

const CHILD: [&str; 4] = ["son", "daughter", "child", "baby"];
const PARENT: [&str; 5] = ["father", "mother", "parent", "dad", "mum"];
const CHILDREN: [&str; 5] = ["child", "children", "kid", "kids", "baby"];
const BOTH: [&str; 3] = ["our", "their", "both"];
/// What may stand beside them without changing who is meant.
const PLAIN: [&str; 18] = [
    "my", "her", "his", "of", "the", "own", "only", "eldest", "oldest", "older", "elder", "middle", "younger",
    "youngest", "first", "second", "third", "little",
];

fn words(relationship: &str) -> Vec<String> {
    let letters = relationship.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    letters.map(str::to_lowercase).collect()
}

fn kin(relationship: &str) -> Option<Kin> {
    let words = words(relationship);
    let any = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let only = |list: &[&str]| {
        let known = |word: &str| list.contains(&word) || PLAIN.contains(&word) || BOTH.contains(&word);
        words.iter().all(|word| known(word))
    };
    if any(&CHILD) && only(&CHILD) {
        return Some(Kin::Child { of_both: any(&BOTH) });
    }
    (any(&PARENT) && only(&PARENT)).then_some(Kin::Parent)
}

/// "father of the children": of the victim's, so of those too.
fn is_parent_of_the_children(relationship: &str) -> bool {
    let words = words(relationship);
    let any = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    any(&PARENT) && any(&CHILDREN)
}

#[cfg(test)]
mod tests;
