//! What may be written in a call: words, a phrase of the catalogue, or the choice of a language. Pure.
//!
//! Nothing of it is ever seen in a log: whatever says what was said is a [`Secret`].

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use ids::{ParticipantId, Secret};
use serde::{Deserialize, Serialize, Serializer};

use super::{Catalogue, ENGLISH, Role};

/// The longest text, in characters.
pub const MOST_CHARACTERS: usize = 500;
/// Lines of one person in any minute.
pub const MOST_A_MINUTE: usize = 60;
/// Lines of a session: the transcript of so many still fits into an exhibit's item.
pub const MOST_LINES: usize = 5_000;

/// What somebody asks to have written, as it came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wording {
    /// Words of their own.
    pub text: Option<Secret<String>>,
    /// Or the name of a phrase.
    pub phrase: Option<Secret<String>>,
    /// The language that they write or mean; none: what the caller has chosen.
    pub language: Option<String>,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Content {
    /// Words of their own.
    Text {
        /// As they were typed.
        #[serde(serialize_with = "exposed")]
        text: Secret<String>,
        /// As the writer says.
        language: String,
    },
    /// A phrase.
    Phrase {
        /// Its name.
        #[serde(serialize_with = "exposed")]
        phrase: Secret<String>,
        /// The language it is read in, beside English.
        language: String,
        /// How it reads in that language.
        #[serde(serialize_with = "exposed")]
        words: Secret<String>,
        /// How it reads in English.
        #[serde(serialize_with = "exposed")]
        english: Secret<String>,
    },
    /// No words: the language that they read and write from here on.
    Language {
        /// Which.
        language: String,
    },
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When, to the microsecond.
    #[serde(serialize_with = "time")]
    pub at: DateTime<Utc>,
    /// Whose.
    pub participant: ParticipantId,
    /// What they are in the call.
    #[serde(with = "role")]
    pub role: Role,
    /// The writer's own id of it: a repeat is known by it.
    pub request: String,
    /// What it says.
    #[serde(flatten)]
    pub content: Content,
}

/// Why something isn't written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsayable {
    /// Neither words nor a language.
    #[error("there is no text")]
    Empty,
    /// Longer than anybody writes.
    #[error("the text is longer than {MOST_CHARACTERS} characters")]
    TooLong,
    /// Text and phrase at once, or a control character.
    #[error("the text is no plain text")]
    Malformed,
    /// The catalogue has no such phrase.
    #[error("there is no such phrase")]
    UnknownPhrase,
    /// The catalogue has no such language.
    #[error("the phrases are not there in that language")]
    UnknownLanguage,
    /// One person writes faster than anybody can.
    #[error("more than {MOST_A_MINUTE} lines a minute")]
    TooFast,
    /// The writer's id came before, with something else.
    #[error("this id was used for another line")]
    Reused,
    /// The transcript would not fit.
    #[error("this call has as many lines as may be")]
    Full,
}

impl Wording {
    /// What it comes to, after these lines.
    ///
    /// # Errors
    /// Why it isn't written.
    fn read(self, before: &[Line]) -> Result<Content, Unsayable> {
        let named = self.language.filter(|language| !language.is_empty());
        let chosen = named.as_deref().unwrap_or_else(|| callers_language(before));
        let catalogue = Catalogue::of(chosen).ok_or(Unsayable::UnknownLanguage)?;
        let language = catalogue.language.to_owned();
        match (self.text, self.phrase) {
            (Some(text), None) => plain(&text).map(|()| Content::Text { text, language }),
            (None, Some(phrase)) => {
                let words = |catalogue: &Catalogue| {
                    let words = catalogue.words(phrase.expose()).ok_or(Unsayable::UnknownPhrase)?;
                    Ok(Secret::new(words.to_owned()))
                };
                let english = words(Catalogue::of(ENGLISH).ok_or(Unsayable::UnknownLanguage)?)?;
                Ok(Content::Phrase { words: words(catalogue)?, english, phrase, language })
            }
            (None, None) if named.is_some() => Ok(Content::Language { language }),
            (None, None) => Err(Unsayable::Empty),
            (Some(_), Some(_)) => Err(Unsayable::Malformed),
        }
    }
}

fn plain(text: &Secret<String>) -> Result<(), Unsayable> {
    let text = text.expose();
    if text.trim().is_empty() {
        return Err(Unsayable::Empty);
    }
    if text.chars().count() > MOST_CHARACTERS {
        return Err(Unsayable::TooLong);
    }
    if text.chars().any(|one| one.is_control() && one != '\n') { Err(Unsayable::Malformed) } else { Ok(()) }
}

/// What the caller wrote or chose last.
fn callers_language(lines: &[Line]) -> &str {
    let last = lines.iter().rev().find(|line| line.role == Role::Caller);
    last.map_or(ENGLISH, |line| line.content.language())
}

impl Content {
    /// The language that it is in.
    #[must_use]
    pub fn language(&self) -> &str {
        match self {
            Self::Text { language, .. } | Self::Phrase { language, .. } | Self::Language { language } => language,
        }
    }

    /// Is it what this asks for? Its language may have been left to us, and says nothing.
    fn answers(&self, wording: &Wording) -> bool {
        let (text, phrase) = match self {
            Self::Text { text, .. } => (Some(text), None),
            Self::Phrase { phrase, .. } => (None, Some(phrase)),
            Self::Language { .. } => (None, None),
        };
        (text, phrase) == (wording.text.as_ref(), wording.phrase.as_ref())
    }
}

/// What comes of somebody's turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// It was written before: the how-manieth line of them it is, from 0.
    Repeated(usize),
    /// One more line.
    Fresh(Line),
}

/// Who has their turn, and as what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writer {
    /// Who.
    pub participant: ParticipantId,
    /// What they are in the call.
    pub role: Role,
    /// Their own id of the line.
    pub request: String,
}

impl Writer {
    /// Writes after these lines.
    ///
    /// # Errors
    /// Why it isn't written.
    pub fn write(self, before: &[Line], wording: Wording, now: DateTime<Utc>) -> Result<Turn, Unsayable> {
        let Self { participant, role, request } = self;
        let same = |line: &Line| line.participant == participant && line.request == request;
        if let Some(index) = before.iter().position(same) {
            let is_same = before[index].content.answers(&wording);
            return if is_same { Ok(Turn::Repeated(index)) } else { Err(Unsayable::Reused) };
        }
        if before.len() >= MOST_LINES {
            return Err(Unsayable::Full);
        }
        let recent = before.iter().rev().take_while(|line| now - line.at < TimeDelta::minutes(1));
        if recent.filter(|line| line.participant == participant).count() >= MOST_A_MINUTE {
            return Err(Unsayable::TooFast);
        }
        let content = wording.read(before)?;
        Ok(Turn::Fresh(Line { at: now.trunc_subsecs(6), participant, role, request, content }))
    }
}

fn exposed<S: Serializer>(secret: &Secret<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

pub(super) fn time<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&exhibit::time::write(*at))
}

mod role {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::domain::Role;

    pub fn serialize<S: Serializer>(role: &Role, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(role.as_str())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Role, D::Error> {
        let text = String::deserialize(deserializer)?;
        Role::parse(&text).ok_or_else(|| D::Error::custom("no such role"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use uuid::Uuid;

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
    }

    fn text(text: &str, language: Option<&str>) -> Wording {
        Wording { text: Some(Secret::new(text.to_owned())), phrase: None, language: language.map(str::to_owned) }
    }

    fn phrase(name: &str, language: Option<&str>) -> Wording {
        Wording { text: None, phrase: Some(Secret::new(name.to_owned())), language: language.map(str::to_owned) }
    }

    fn line(second: i64, who: u128, role: Role, wording: Wording) -> Line {
        let content = wording.read(&[]).unwrap();
        Line { at: at(second), participant: Uuid::from_u128(who).into(), role, request: second.to_string(), content }
    }

    #[test]
    fn what_is_no_text_or_no_phrase_is_refused() {
        let long = "ö".repeat(MOST_CHARACTERS + 1);
        for (wording, why) in [
            (Wording::default(), Unsayable::Empty),
            (text(" \n ", None), Unsayable::Empty),
            (text(&long, None), Unsayable::TooLong),
            (text("a\u{7}", None), Unsayable::Malformed),
            (Wording { phrase: phrase("yes", None).phrase, ..text("a", None) }, Unsayable::Malformed),
            (text("a", Some("tlh")), Unsayable::UnknownLanguage),
            (phrase("sing", Some("ar")), Unsayable::UnknownPhrase),
        ] {
            assert_eq!(wording.clone().read(&[]), Err(why), "{wording:?}");
        }
        assert!(text(&long[2..], None).read(&[]).is_ok(), "characters are counted, not bytes");
    }

    #[test]
    fn an_answer_is_read_in_the_callers_language_unless_another_is_named() {
        let chosen = Wording { language: Some("ar".to_owned()), ..Wording::default() };
        let before = [line(1, 1, Role::Caller, chosen), line(2, 2, Role::Officer, text("hello", Some("en")))];
        let Content::Phrase { words, english, language, .. } = phrase("yes", None).read(&before).unwrap() else {
            unreachable!("a phrase was asked for")
        };
        assert_eq!((language.as_str(), english.expose().as_str()), ("ar", "Yes"));
        assert_eq!(words.expose(), "نعم");
        assert_eq!(phrase("yes", Some("en")).read(&before).unwrap().language(), "en");
    }

    fn next(before: &[Line], who: u128, request: &str, second: i64, wording: Wording) -> Result<Turn, Unsayable> {
        let participant = Uuid::from_u128(who).into();
        Writer { participant, role: Role::Caller, request: request.to_owned() }.write(before, wording, at(second))
    }

    #[test]
    fn nobody_writes_without_end() {
        let lines: Vec<_> = (0..60).map(|n| line(n / 2, 1, Role::Caller, phrase("yes", None))).collect();
        let is_fresh = |who, second| next(&lines, who, "fresh", second, phrase("yes", None)).map(|_| ());
        assert_eq!(is_fresh(1, 30), Err(Unsayable::TooFast));
        assert_eq!(is_fresh(2, 30), Ok(()));
        assert_eq!(is_fresh(1, 60), Ok(()), "the first of them are a minute old");
        let many = vec![lines[0].clone(); MOST_LINES];
        assert_eq!(next(&many, 2, "fresh", 9_999, phrase("yes", None)), Err(Unsayable::Full));
    }

    #[test]
    fn a_repeat_is_the_first_one_and_an_id_is_used_once() {
        let lines = [line(1, 1, Role::Caller, phrase("no", None)), line(2, 1, Role::Caller, text("here", None))];
        assert_eq!(next(&lines, 1, "2", 3, text("here", Some("pl"))), Ok(Turn::Repeated(1)));
        assert_eq!(next(&lines, 1, "2", 3, text("there", None)), Err(Unsayable::Reused));
        assert!(
            matches!(next(&lines, 9, "2", 3, text("there", None)), Ok(Turn::Fresh(_))),
            "another's id is another id"
        );
    }

    #[test]
    fn a_line_is_read_back_as_it_was_written_and_is_never_seen_in_a_log() {
        let line = line(1, 7, Role::Interpreter, phrase("yes", Some("cy")));
        let written = serde_json::to_string(&line).unwrap();
        assert!(written.contains(r#""what":"phrase""#) && written.contains(r#""role":"interpreter""#), "{written}");
        assert_eq!(serde_json::from_str::<Line>(&written).unwrap(), line);
        let logged = format!("{line:?}{:?}", phrase("yes", None));
        assert!(!logged.contains("yes") && !logged.contains("Yes"), "{logged}");
    }
}
