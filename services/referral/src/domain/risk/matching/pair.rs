//! Two people, one of each call.

use chrono::{Datelike, NaiveDate};

use super::{Certainty, Profile, normal::are_near};
use crate::domain::Part;

/// What two people have in common.
pub(super) struct Pair {
    pub(super) certainty: Certainty,
    /// What they both are; `None` if one was the suspect and the other the victim.
    pub(super) part: Option<bool>,
    pub(super) because: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    Same,
    Swapped,
    Near,
    /// Only one of the two names is the same.
    Half,
    Unlike,
    Unknown,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Birth {
    Same,
    Transposed,
    Differs,
    Unknown,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Home {
    Same,
    /// The postcode is, and nothing says more.
    Postcode,
    Other,
}

pub(super) fn compare(now: &Profile, then: &Profile) -> Option<Pair> {
    let (name, birth, home) = (name(now, then), birth(now.birth, then.birth), home(now, then));
    let has_phone = !now.phone.is_empty() && now.phone == then.phone;
    let levels = [by_name(name, birth), by_phone(has_phone, name), by_home(home, name, birth)];
    let certainty = levels.into_iter().flatten().max()?;
    let what = [
        match name {
            Name::Same => Some("name"),
            Name::Swapped => Some("names the other way round"),
            Name::Near => Some("nearly the same name"),
            Name::Half => Some("one of the names"),
            Name::Unlike | Name::Unknown => None,
        },
        match birth {
            Birth::Same => Some("date of birth"),
            Birth::Transposed => Some("day and month of birth the other way round"),
            Birth::Differs | Birth::Unknown => None,
        },
        has_phone.then_some("phone number"),
        match home {
            Home::Same => Some("address"),
            Home::Postcode => Some("postcode"),
            Home::Other => None,
        },
    ];
    let what = listed(&what.into_iter().flatten().collect::<Vec<_>>());
    if now.part == then.part {
        let because = format!("{what} of the {}", word(now.part));
        return Some(Pair { certainty, part: Some(now.part == Part::Victim), because });
    }
    // Who rings now may have been the one it was about then; the roles being others, it is no more than possible.
    let because = format!("{what} of the {}, then the {}", word(now.part), word(then.part));
    Some(Pair { certainty: Certainty::Possible, part: None, because })
}

fn by_name(name: Name, birth: Birth) -> Option<Certainty> {
    match (name, birth) {
        (Name::Same, Birth::Same) => Some(Certainty::NearlyCertain),
        (Name::Same | Name::Swapped, Birth::Transposed) | (Name::Swapped | Name::Near, Birth::Same) => {
            Some(Certainty::Probable)
        }
        (Name::Same | Name::Swapped, Birth::Unknown) | (Name::Near, Birth::Transposed) | (Name::Half, Birth::Same) => {
            Some(Certainty::Possible)
        }
        _ => None,
    }
}

fn by_phone(has_phone: bool, name: Name) -> Option<Certainty> {
    has_phone.then_some(if name == Name::Unlike { Certainty::Possible } else { Certainty::Probable })
}

fn by_home(home: Home, name: Name, birth: Birth) -> Option<Certainty> {
    let is_named = matches!(name, Name::Same | Name::Swapped | Name::Near);
    match home {
        Home::Same if is_named && birth != Birth::Differs => Some(Certainty::Probable),
        Home::Same => Some(Certainty::Possible),
        Home::Postcode if is_named && birth != Birth::Differs => Some(Certainty::Possible),
        Home::Postcode | Home::Other => None,
    }
}

fn name(now: &Profile, then: &Profile) -> Name {
    if [&now.given, &now.family, &then.given, &then.family].into_iter().any(String::is_empty) {
        return Name::Unknown;
    }
    let same = |one: &str, other: &str| one == other;
    let both = |alike: fn(&str, &str) -> bool| alike(&now.given, &then.given) && alike(&now.family, &then.family);
    let swapped = |alike: fn(&str, &str) -> bool| alike(&now.given, &then.family) && alike(&now.family, &then.given);
    match () {
        () if both(same) => Name::Same,
        () if swapped(same) => Name::Swapped,
        () if both(are_near) || swapped(are_near) => Name::Near,
        () if same(&now.given, &then.given) || same(&now.family, &then.family) => Name::Half,
        () => Name::Unlike,
    }
}

fn birth(now: Option<NaiveDate>, then: Option<NaiveDate>) -> Birth {
    let (Some(now), Some(then)) = (now, then) else { return Birth::Unknown };
    match () {
        () if now == then => Birth::Same,
        () if now.year() == then.year() && now.day() == then.month() && now.month() == then.day() => Birth::Transposed,
        () => Birth::Differs,
    }
}

fn home(now: &Profile, then: &Profile) -> Home {
    if now.postcode.is_empty() || now.postcode != then.postcode {
        return Home::Other;
    }
    let is_said = |profile: &Profile| !profile.numbers.is_empty() || !profile.street.is_empty();
    if !is_said(now) || !is_said(then) {
        return Home::Postcode;
    }
    let same = if now.numbers.is_empty() || then.numbers.is_empty() {
        are_near(&now.street, &then.street)
    } else {
        now.numbers == then.numbers
    };
    if same { Home::Same } else { Home::Other }
}

fn word(part: Part) -> &'static str {
    if part == Part::Suspect { "suspect" } else { "victim" }
}

/// "name, date of birth and address".
fn listed(what: &[&str]) -> String {
    match what {
        [all @ .., last] if !all.is_empty() => format!("{} and {last}", all.join(", ")),
        _ => what.concat(),
    }
}
