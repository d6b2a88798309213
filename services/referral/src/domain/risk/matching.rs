//! How alike the people of two calls are: victims and suspects by name, date of birth, phone number and address, whatever the
//! spelling. It only says what is the same and how sure that is; whether they are the same people is an officer's to say.

mod normal;
mod pair;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::domain::{Details, Part};

/// How sure it is. Even the surest is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// Something is the same that two people can share.
    Possible,
    /// More than chance.
    Probable,
    /// Name and date of birth are the same.
    NearlyCertain,
}

/// What of a person is compared, however it was written. Personal data, and so without a `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    part: Part,
    given: String,
    family: String,
    birth: Option<NaiveDate>,
    phone: String,
    postcode: String,
    /// House and flat numbers of the address.
    numbers: BTreeSet<String>,
    /// The rest of it.
    street: String,
}

impl Profile {
    /// Of a victim or a suspect; nobody else is looked for.
    #[must_use]
    pub fn of(person: &Details) -> Option<Self> {
        if !matches!(person.part, Part::Victim | Part::Suspect) {
            return None;
        }
        let (numbers, street) = normal::address(&person.address);
        Some(Self {
            part: person.part,
            given: normal::name(&person.given_name),
            family: normal::name(&person.family_name),
            birth: person.date_of_birth,
            phone: normal::phone(&person.phone),
            postcode: normal::postcode(&person.postcode),
            numbers,
            street,
        })
    }

    /// By which they are looked up: whoever is like them at all has one of these too.
    #[must_use]
    pub fn keys(&self) -> BTreeSet<String> {
        let mut keys = BTreeSet::new();
        if !self.phone.is_empty() {
            keys.insert(format!("phone {}", self.phone));
        }
        if !self.postcode.is_empty() {
            keys.insert(format!("post {}", self.postcode));
        }
        if let Some(birth) = self.birth {
            let (day, month) = (birth.day(), birth.month());
            keys.insert(format!("born {} {} {}", birth.year(), day.min(month), day.max(month)));
        }
        if !self.given.is_empty() && !self.family.is_empty() {
            let (one, other) = (self.given.as_str().min(&self.family), self.given.as_str().max(&self.family));
            keys.insert(format!("name {one} {other}"));
        }
        keys
    }
}

/// How sure it is that these people are those, and what is the same; `None` if nothing says so.
#[must_use]
pub fn compare(now: &[Profile], then: &[Profile]) -> Option<(Certainty, Vec<String>)> {
    let pairs = now.iter().flat_map(|now| then.iter().filter_map(|then| pair::compare(now, then)));
    let mut pairs: Vec<_> = pairs.collect();
    pairs.sort_by(|one, other| other.certainty.cmp(&one.certainty).then_with(|| one.because.cmp(&other.because)));
    let surest = pairs.first()?.certainty;
    let matched: BTreeSet<_> = pairs.iter().filter_map(|pair| pair.part).collect();
    // Two people who each may be the same, together, are no chance.
    let certainty = if matched.len() > 1 { surest.max(Certainty::Probable) } else { surest };
    let mut because: Vec<String> = vec![];
    for pair in pairs {
        if !because.contains(&pair.because) {
            because.push(pair.because);
        }
    }
    Some((certainty, because))
}
