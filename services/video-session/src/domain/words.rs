//! All that the caller's page says, in every language of the catalogue (`web/words`); and the ready-made phrases for somebody
//! who can't speak and for whoever answers them, the same ones in each, so that either side reads its own.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

/// What the other languages are read beside.
pub const ENGLISH: &str = "en";

const FILES: [(&str, &str); 10] = [
    (ENGLISH, include_str!("../../web/words/en.json")),
    ("cy", include_str!("../../web/words/cy.json")),
    ("pl", include_str!("../../web/words/pl.json")),
    ("ur", include_str!("../../web/words/ur.json")),
    ("pa", include_str!("../../web/words/pa.json")),
    ("bn", include_str!("../../web/words/bn.json")),
    ("ar", include_str!("../../web/words/ar.json")),
    ("ro", include_str!("../../web/words/ro.json")),
    ("so", include_str!("../../web/words/so.json")),
    ("uk", include_str!("../../web/words/uk.json")),
];

static CATALOGUES: LazyLock<Vec<Catalogue>> = LazyLock::new(|| FILES.into_iter().map(Catalogue::read).collect());

/// One language of the catalogue.
#[derive(Debug)]
pub struct Catalogue {
    /// "ar".
    pub language: &'static str,
    /// "العربية".
    pub name: String,
    /// Which way it is written: "rtl" or "ltr".
    pub dir: String,
    /// The file, as a page gets it.
    pub file: &'static str,
    /// What the page says, by what its markup calls it.
    pub page: BTreeMap<String, String>,
    phrases: BTreeMap<String, String>,
}

/// What the file has that is of use here.
#[derive(Deserialize)]
struct Words {
    name: String,
    dir: String,
    page: BTreeMap<String, String>,
    guest: BTreeMap<String, String>,
    host: BTreeMap<String, String>,
}

impl Catalogue {
    /// All languages.
    #[must_use]
    pub fn all() -> &'static [Self] {
        &CATALOGUES
    }

    /// The catalogue in that language, if there is one.
    #[must_use]
    pub fn of(language: &str) -> Option<&'static Self> {
        Self::all().iter().find(|catalogue| catalogue.language == language)
    }

    /// A phrase, whoever usually says it.
    #[must_use]
    pub fn words(&self, phrase: &str) -> Option<&str> {
        self.phrases.get(phrase).map(String::as_str)
    }

    #[expect(clippy::expect_used, reason = "the files are part of the program, and a test reads each")]
    fn read((language, file): (&'static str, &'static str)) -> Self {
        let words: Words = serde_json::from_str(file).expect("a catalogue is JSON");
        let Words { name, dir, page, guest: mut phrases, host } = words;
        phrases.extend(host);
        Self { language, name, dir, file, page, phrases }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_language_has_every_phrase_and_every_word_of_the_page() {
        let keys = |of: &BTreeMap<String, String>| of.keys().cloned().collect::<Vec<_>>();
        let english = Catalogue::of(ENGLISH).unwrap();
        assert!(english.phrases.len() >= 30 && english.page.len() >= 50);
        for (language, _) in FILES {
            let other = Catalogue::of(language).unwrap();
            assert_eq!(keys(&other.phrases), keys(&english.phrases), "{language}");
            assert_eq!(keys(&other.page), keys(&english.page), "{language}");
        }
        assert!(Catalogue::of("xx").is_none());
    }
}
