//! The word that a caller writes when help is to come now, and how it is found in what they write. Both are folded alike, so that
//! "we need milk and COFFEE, Beans!" has "coffee beans" in it.

use std::str::FromStr;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::{Malformed, Secret};

/// The most words that it may be made of.
const MOST_WORDS: usize = 3;

/// The word that was agreed: one to three of them. Personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComeNowWord(Secret<String>);

impl ComeNowWord {
    /// As it was written down.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// What it is known by: two that are folded to the same are the same.
    #[must_use]
    pub fn folded(&self) -> Secret<String> {
        Secret::new(words(self.expose()).concat())
    }

    /// Every one to three words in a row of a text, folded: it is in the text if it is one of these. What is written in one word is
    /// the same as what is written in two.
    #[must_use]
    pub fn candidates(text: &str) -> Vec<Secret<String>> {
        let words = words(text);
        let runs = (1..=MOST_WORDS).flat_map(|length| words.windows(length).map(|run| Secret::new(run.concat())));
        runs.collect()
    }
}

impl FromStr for ComeNowWord {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let text = text.trim();
        let words = words(text);
        let is_one = (3..=40).contains(&text.chars().count())
            && !text.chars().any(char::is_control)
            && (1..=MOST_WORDS).contains(&words.len())
            && words.concat().chars().count() >= 3;
        if is_one {
            return Ok(Self(Secret::new(text.to_owned())));
        }
        Err(Malformed { kind: "come-now word", rule: "1 to 3 words, 3 to 40 characters" })
    }
}

/// The words of a text, without case, accents and whatever is between them. An apostrophe and what is written above or below a letter
/// parts no word.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for sign in text.nfkd().flat_map(char::to_lowercase) {
        if is_combining_mark(sign)
            || matches!(sign, '\'' | '\u{2bc}' | '\u{2018}' | '\u{2019}' | '\u{200b}'..='\u{200f}')
        {
            continue;
        }
        match words.last_mut() {
            Some(word) if sign.is_alphanumeric() => word.push(sign),
            Some(word) if !word.is_empty() => words.push(String::new()),
            _ => {}
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn has(text: &str, word: &str) -> bool {
        let word: ComeNowWord = word.parse().unwrap();
        ComeNowWord::candidates(text).contains(&word.folded())
    }

    #[test]
    fn it_is_found_however_it_is_written() {
        for (text, word) in [
            ("we need milk and COFFEE, Beans!", "coffee beans"),
            ("coffeebeans", "Coffee Beans"),
            ("coffee\u{a0}-  beans", "coffee beans"),
            ("CAFE\u{301} au lait", "café"),
            ("ＰＩＮＥＡＰＰＬＥ", "pineapple"),
            ("is that mum’s lemon cake?", "Mum's lemon cake"),
            ("ক্ষমা করবেন", "ক্ষমা"),
        ] {
            assert!(has(text, word), "{text}: {word}");
        }
        for (text, word) in
            [("coffee and beans", "coffee beans"), ("pineapples", "pineapple"), ("", "tea"), ("t e a p", "teapot")]
        {
            assert!(!has(text, word), "{text}: {word}");
        }
    }

    #[test]
    fn it_is_one_to_three_words_and_nothing_prints_it() {
        let longest = "a".repeat(40);
        for good in ["tea", "my blue tin", " Auntie Bee ", "mum's-tea", &longest] {
            let word: ComeNowWord = good.parse().unwrap();
            assert_eq!(word.expose(), good.trim());
            assert_eq!(format!("{word:?}"), "ComeNowWord([redacted])");
        }
        for bad in ["", "ab", "a.b", "one two three four", "...", "tea\ntime", &"a".repeat(41)] {
            assert!(bad.parse::<ComeNowWord>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_one_is_found_in_itself_and_in_a_sentence(text in "\\PC{3,40}", before in "[a-z ]{0,20}") {
            if let Ok(word) = text.parse::<ComeNowWord>() {
                prop_assert!(ComeNowWord::candidates(&text).contains(&word.folded()));
                let sentence = format!("{before} {}!", text.to_uppercase());
                // What upper case makes of some letters, lower case doesn't take back.
                if text.to_uppercase().to_lowercase() == text.to_lowercase() {
                    prop_assert!(ComeNowWord::candidates(&sentence).contains(&word.folded()));
                }
            }
        }
    }
}
