//! What a caller's phone may show: no word of what the calls are about, however it is spelt, and a message in one piece.
//!
//! A guard against mistakes. Whoever wants to say it finds a way; whoever configures a tenth host at night should be stopped.

use unicode_normalization::UnicodeNormalization;

/// `web/forbidden.txt` says how it is read.
const FORBIDDEN: &str = include_str!("../../web/forbidden.txt");

/// Where the link goes, in the words of a message.
pub const LINK: &str = "{link}";
/// A message of more is sent in parts, which may come apart.
const ONE_MESSAGE: usize = 160;
/// The default alphabet of GSM 03.38 beside the letters and digits of ASCII: with any other sign a message holds 70 of them.
const GSM: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";

/// What kind of words they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// A name: of the host, of a sender. Some words say more in a name than in a sentence.
    Name,
    /// Anything else.
    Words,
}

/// Why the words of a message can't be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// Nothing to follow, or more than one.
    #[error("{LINK} must be in it, once")]
    Link,
    /// Messengers would make what follows a part of the address.
    #[error("{LINK} must end in a blank, or the words with it")]
    Glued,
    /// It would be sent in parts.
    #[error("with the link it must be at most {ONE_MESSAGE} characters of the GSM alphabet")]
    TooLong,
}

/// Does it say what the calls are about?
#[must_use]
pub fn is_forbidden(text: &str, shown: Shown) -> bool {
    let all = folded(text);
    let words: Vec<String> = text.split(|c: char| !c.is_alphanumeric()).map(folded).collect();
    let lines = FORBIDDEN.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.into_iter().any(|line| {
        let in_names = line.strip_prefix('~');
        if in_names.is_some() && shown == Shown::Words {
            return false;
        }
        match line.strip_prefix('=') {
            Some(word) => words.contains(&folded(word)),
            None => all.contains(&folded(in_names.unwrap_or(line))),
        }
    })
}

/// Can these words be sent in one message, with this link in them?
///
/// # Errors
/// Why not.
pub fn is_one_message(words: &str, link: &str) -> Result<(), Unsendable> {
    let Some((_, after)) = words.split_once(LINK).filter(|(_, after)| !after.contains(LINK)) else {
        return Err(Unsendable::Link);
    };
    if !after.is_empty() && !after.starts_with(char::is_whitespace) {
        return Err(Unsendable::Glued);
    }
    let text = words.replace(LINK, link);
    let is_gsm = |c: char| c.is_ascii_alphanumeric() || GSM.contains(c);
    if text.chars().count() > ONE_MESSAGE || !text.chars().all(is_gsm) {
        return Err(Unsendable::TooLong);
    }
    Ok(())
}

fn folded(text: &str) -> String {
    let plain = text.nfkc().flat_map(char::to_lowercase);
    let close = plain.filter(|c| !matches!(c, '-' | '_' | '\u{2010}'..='\u{2015}'));
    close
        .map(|c| match c {
            '0' => 'o',
            '1' => 'i',
            '3' => 'e',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_of_it_however_it_is_spelt() {
        for text in [
            "Police call",
            "P0L1CE",
            "po-li_ce",
            "ＰＯＬＩＣＥ",
            "Domestic abuse",
            "call 101",
            "999",
            "Heddlu",
            "پولیس",
            "Task force",
            "polițist",
        ] {
            assert!(is_forbidden(text, Shown::Words), "{text}");
        }
        for text in [
            "Video call",
            "Your link",
            "Enforced rest",
            "A safe journey",
            "Help yourself",
            "Extra is free",
            "bbc.co.uk/weather",
        ] {
            assert!(!is_forbidden(text, Shown::Words), "{text}");
        }
        assert!(is_forbidden("safe-harbour.page", Shown::Name));
        assert!(!is_forbidden("quiet-garden.page", Shown::Name));
    }

    #[test]
    fn a_message_is_one_message() {
        let link = "https://quiet-garden.page/#7ZZZZZZZZZZZZZZZZZZZZZZZZZ";
        assert_eq!(is_one_message("Here it is: {link}", link), Ok(()));
        assert_eq!(is_one_message("{link} is yours", link), Ok(()));
        assert_eq!(is_one_message("Here it is", link), Err(Unsendable::Link));
        assert_eq!(is_one_message("{link} {link}", link), Err(Unsendable::Link));
        assert_eq!(is_one_message("Go to {link}.", link), Err(Unsendable::Glued));
        assert_eq!(is_one_message("Here it is… {link}", link), Err(Unsendable::TooLong));
        assert_eq!(is_one_message(&format!("{} {{link}}", "x".repeat(107)), link), Err(Unsendable::TooLong));
        assert_eq!(is_one_message(&format!("{} {{link}}", "x".repeat(106)), link), Ok(()));
    }
}
