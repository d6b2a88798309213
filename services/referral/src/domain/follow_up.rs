//! A call and its follow-ups: its caller is asked in again when bruises show, in a call with an exhibit of its own.

use super::{Facts, Item};

impl Facts {
    /// A follow-up is there for photographs: the rest is in the first call's package.
    pub(super) fn asks_less_than(&self, item: &Item) -> bool {
        self.follow_up_of.is_some() && !item.follow_up
    }

    /// "2 photographs, exhibit ABC/7", of a follow-up.
    fn later_pictures(&self) -> Option<String> {
        let pictures = self.pictures_in_words()?;
        Some(match &self.exhibit {
            Some(exhibit) => format!("{pictures}, exhibit {}", exhibit.reference),
            None => pictures,
        })
    }
}

/// What was taken in these follow-ups; nothing yet.
#[must_use]
pub fn later_pictures(follow_ups: &[Facts]) -> Option<String> {
    let all: Vec<_> = follow_ups.iter().filter_map(Facts::later_pictures).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Fact, ItemState, Package, Work};

    fn heard(facts: impl IntoIterator<Item = Fact>) -> Package {
        let (call, force) = (uuid::Uuid::from_u128(2).into(), "wmp".parse().unwrap());
        facts.into_iter().fold(Package::gathering(call, force), |package, fact| package.hear(fact).0)
    }

    fn first() -> Fact {
        Fact::FollowUp(uuid::Uuid::from_u128(1).into())
    }

    fn exhibit() -> Fact {
        Fact::ExhibitOpened { id: uuid::Uuid::from_u128(3).into(), reference: "ABC/7".into() }
    }

    fn picture(name: &str) -> Fact {
        Fact::Pictured(name.into())
    }

    fn list() -> super::super::Checklist {
        toml::from_str(include_str!("../../checklist.toml")).unwrap()
    }

    fn state(package: &Package, work: &Work, key: &str) -> ItemState {
        package.view(&list(), work).items.into_iter().find(|item| item.key == key).unwrap().state
    }

    #[test]
    fn a_follow_up_asks_for_pictures_and_consent_and_not_for_what_the_first_call_has() {
        let follow_up = heard([first()]);
        let asked = |key| state(&follow_up, &Work::default(), key) == ItemState::Missing;
        for key in ["emergency-call-reference", "consent", "photographs", "exhibit-list"] {
            assert!(asked(key), "{key}");
        }
        for key in ["initial-account", "later-photographs", "officer-statement", "risk-checklist", "referrals"] {
            assert!(!asked(key), "{key}");
        }
        assert_eq!(follow_up.clone().hear(first()).1, crate::domain::Heard::Repeated);
        let of_another = Fact::FollowUp(uuid::Uuid::from_u128(9).into());
        assert_eq!(follow_up.hear(of_another).1, crate::domain::Heard::Conflict);
    }

    #[test]
    fn later_photographs_are_those_of_the_follow_ups_or_what_an_officer_says_of_them() {
        let of = |facts: Vec<Fact>| heard(facts).facts;
        assert_eq!(later_pictures(&[of(vec![first(), exhibit()])]), None);
        let both = [
            of(vec![first(), exhibit(), picture("photograph-1"), picture("photograph-2")]),
            of(vec![first(), picture("still-1")]),
        ];
        let words = later_pictures(&both).unwrap();
        assert_eq!(words, "2 photographs, exhibit ABC/7; 1 still");
        let (call, key) = (heard([]), "later-photographs");
        let work = Work { follow_ups: Some(words.clone()), ..Work::default() };
        assert_eq!(state(&call, &work, key), ItemState::Present(words));
        assert_eq!(state(&call, &Work::default(), key), ItemState::Missing);
        let item = list().items().iter().find(|item| item.key == key).unwrap().clone();
        assert!(item.takes_note(), "they may have been taken otherwise, or not at all");
    }
}
