//! One spelling for what is written in many.

use std::collections::BTreeSet;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Letters and digits only, in lower case and without what is above or below them: "Anne-Zoë O'Brien" is "annezoeobrien".
pub(super) fn name(text: &str) -> String {
    let plain = text.to_lowercase().nfkd().filter(|c| !is_combining_mark(*c)).collect::<String>();
    let mut name = String::with_capacity(plain.len());
    for c in plain.chars().filter(|c| c.is_alphanumeric()) {
        match c {
            'ß' => name.push_str("ss"),
            'æ' => name.push_str("ae"),
            'œ' => name.push_str("oe"),
            'ø' => name.push('o'),
            'ł' => name.push('l'),
            'đ' | 'ð' => name.push('d'),
            'þ' => name.push_str("th"),
            'ı' => name.push('i'),
            c => name.push(c),
        }
    }
    name
}

/// The digits with the country's, as E.164 has them; a number that begins with 0 is one of the United Kingdom. Too short: none.
pub(super) fn phone(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let digits = match (digits.strip_prefix("00"), digits.strip_prefix('0')) {
        (Some(abroad), _) => abroad.to_owned(),
        (None, Some(home)) => format!("44{home}"),
        (None, None) => digits,
    };
    if digits.len() < 7 { String::new() } else { digits }
}

/// "cf10 1aa" is "CF101AA".
pub(super) fn postcode(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

/// House and flat numbers, and the rest.
pub(super) fn address(text: &str) -> (BTreeSet<String>, String) {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '\'').map(name).filter(|word| !word.is_empty());
    let (numbers, street): (Vec<_>, Vec<_>) = words.partition(|word| word.chars().any(|c| c.is_ascii_digit()));
    (numbers.into_iter().collect(), street.concat())
}

/// A letter or two apart, or shortened.
pub(super) fn are_near(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    let letters = short.chars().count();
    short == long
        || (letters >= 3 && long.starts_with(short))
        || (letters >= 4 && strsim::osa_distance(short, long) <= 1)
        || (letters >= 4 && strsim::jaro_winkler(short, long) >= 0.92)
}
