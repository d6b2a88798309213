//! Ready-made phrases for somebody who can't speak, and for whoever answers them: the same ones in every language of the
//! catalogue (`web/phrases`), so that each side reads its own.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

/// What the other languages are read beside.
pub const ENGLISH: &str = "en";

const FILES: [(&str, &str); 10] = [
    (ENGLISH, include_str!("../../web/phrases/en.json")),
    ("cy", include_str!("../../web/phrases/cy.json")),
    ("pl", include_str!("../../web/phrases/pl.json")),
    ("ur", include_str!("../../web/phrases/ur.json")),
    ("pa", include_str!("../../web/phrases/pa.json")),
    ("bn", include_str!("../../web/phrases/bn.json")),
    ("ar", include_str!("../../web/phrases/ar.json")),
    ("ro", include_str!("../../web/phrases/ro.json")),
    ("so", include_str!("../../web/phrases/so.json")),
    ("uk", include_str!("../../web/phrases/uk.json")),
];

static CATALOGUES: LazyLock<Vec<Catalogue>> = LazyLock::new(|| FILES.into_iter().map(Catalogue::read).collect());

/// One language of the catalogue.
#[derive(Debug)]
pub struct Catalogue {
    /// "ar".
    pub language: &'static str,
    /// The file, as a page gets it.
    pub file: &'static str,
    words: BTreeMap<String, String>,
}

/// What the file has that is of use here.
#[derive(Deserialize)]
struct Phrases {
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
        self.words.get(phrase).map(String::as_str)
    }

    #[expect(clippy::expect_used, reason = "the files are part of the program, and a test reads each")]
    fn read((language, file): (&'static str, &'static str)) -> Self {
        let Phrases { mut guest, host } = serde_json::from_str(file).expect("a catalogue is JSON");
        guest.extend(host);
        Self { language, file, words: guest }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_language_has_every_phrase() {
        let english: Vec<_> = Catalogue::of(ENGLISH).unwrap().words.keys().collect();
        assert!(english.len() >= 30, "{english:?}");
        for (language, _) in FILES {
            assert_eq!(Catalogue::of(language).unwrap().words.keys().collect::<Vec<_>>(), english, "{language}");
        }
        assert!(Catalogue::of("xx").is_none());
    }
}
