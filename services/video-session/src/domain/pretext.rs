//! What the caller's page can turn into (`web/pretexts`): harmless pages that work, and what to say of them.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

use super::ENGLISH;

/// One of them. The first is what a call begins with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pretext(usize);

const FILES: [(&str, &str); 3] = [
    ("recipe", include_str!("../../web/pretexts/recipe.json")),
    ("parcel", include_str!("../../web/pretexts/parcel.json")),
    ("quiz", include_str!("../../web/pretexts/quiz.json")),
];

static WORDS: LazyLock<Vec<Words>> = LazyLock::new(|| FILES.iter().map(|(_, file)| Words::read(file)).collect());

/// What a file has for the officer; the rest is the page's.
#[derive(Debug, Deserialize)]
struct Words {
    title: BTreeMap<String, String>,
    say: BTreeMap<String, String>,
}

impl Pretext {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..FILES.len()).map(Self)
    }

    /// The one of that id, if there is one.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        Self::all().find(|pretext| pretext.id() == id)
    }

    /// As the contract, the database and the pages name it.
    #[must_use]
    pub fn id(self) -> &'static str {
        FILES[self.0].0
    }

    /// The file.
    #[must_use]
    pub fn file(self) -> &'static str {
        FILES[self.0].1
    }

    /// The title that the page has then, in English.
    #[must_use]
    pub fn title(self) -> &'static str {
        english(&WORDS[self.0].title)
    }

    /// What the officer and the caller are talking about, should somebody ask.
    #[must_use]
    pub fn say(self) -> &'static str {
        english(&WORDS[self.0].say)
    }
}

fn english(words: &BTreeMap<String, String>) -> &str {
    words.get(ENGLISH).map_or("", String::as_str)
}

impl Words {
    #[expect(clippy::expect_used, reason = "the files are part of the program, and a test reads each")]
    fn read(file: &str) -> Self {
        serde_json::from_str(file).expect("a pretext is JSON")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_title_and_something_to_say() {
        for pretext in Pretext::all() {
            assert_eq!(Pretext::parse(pretext.id()), Some(pretext));
            assert!(!pretext.title().is_empty() && !pretext.say().is_empty(), "{}", pretext.id());
        }
        assert_eq!((Pretext::default().id(), Pretext::parse("weather")), ("recipe", None));
    }
}
