//! What a caller needs of an officer, and what an officer brings.

use super::Facts;

/// For callers who ask for an officer of their choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "as it says")]
pub enum Gender {
    Woman,
    Man,
}

/// What an officer has said of themself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Skills {
    /// BCP 47; English goes without saying.
    pub languages: Vec<String>,
    /// Trained to speak with children.
    pub child_trained: bool,
    /// Unless they did not say.
    pub gender: Option<Gender>,
}

impl Facts {
    /// Whether an officer with these skills has every one that this call asks for.
    #[must_use]
    pub fn suits(&self, skills: &Skills) -> bool {
        let wanted = spoken(&self.language);
        let speaks = wanted == "en" || skills.languages.iter().any(|language| spoken(language) == wanted);
        speaks
            && (!self.child_may_speak || skills.child_trained)
            && self.officer_asked_for.is_none_or(|gender| skills.gender == Some(gender))
    }
}

/// The language itself, without script and region: whoever speaks "pa" is understood in "pa-Guru-IN". Nothing is English.
fn spoken(tag: &str) -> String {
    match tag.split('-').next().unwrap_or_default() {
        "" => "en".to_owned(),
        primary => primary.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Risk, tests::facts};

    #[test]
    fn an_officer_suits_who_has_every_skill() {
        let plain = Skills::default();
        let needs = |language: &str, child_may_speak, officer_asked_for| Facts {
            language: language.to_owned(),
            child_may_speak,
            officer_asked_for,
            ..facts(Risk::High)
        };
        for english in ["", "en", "EN-GB"] {
            assert!(needs(english, false, None).suits(&plain), "{english}");
        }
        let able = Skills {
            languages: vec!["pa-Guru".to_owned(), "pl".to_owned()],
            child_trained: true,
            gender: Some(Gender::Woman),
        };
        let all = needs("pa-IN", true, Some(Gender::Woman));
        assert!(all.suits(&able));
        for less in [
            Skills { languages: vec!["pl".to_owned()], ..able.clone() },
            Skills { child_trained: false, ..able.clone() },
            Skills { gender: Some(Gender::Man), ..able.clone() },
            Skills { gender: None, ..able },
        ] {
            assert!(!all.suits(&less), "{less:?}");
        }
    }
}
