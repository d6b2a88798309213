//! What an officer adds in their own words: the reason of an order or of a muted microphone, a chapter's note. For the exhibit, and
//! for nothing else.

use ids::{Malformed, Secret};
use serde::{Deserialize, Serializer};

/// The longest, in characters.
const LONGEST: usize = 200;

/// One line of plain text, without blanks around it; may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Remark(Secret<String>);

impl Remark {
    /// From what was typed as one of that kind.
    ///
    /// # Errors
    /// When it is too long, or more than one line.
    pub fn parse(kind: &'static str, typed: &str) -> Result<Self, Malformed> {
        let line = typed.trim();
        if line.chars().count() > LONGEST || line.chars().any(char::is_control) {
            return Err(Malformed { kind, rule: "at most 200 characters on one line" });
        }
        Ok(Self(Secret::new(line.to_owned())))
    }

    /// Nothing was said.
    #[must_use]
    pub fn none() -> Self {
        Self(Secret::new(String::new()))
    }

    /// Was nothing said?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }

    /// The line itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Writes it down, where it is to be: nothing else that is written has it by accident.
    pub(super) fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl TryFrom<String> for Remark {
    type Error = Malformed;

    fn try_from(typed: String) -> Result<Self, Malformed> {
        Self::parse("remark", &typed)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn it_is_one_line_that_no_log_has() {
        let remark = Remark::parse("note", " by the door\n").unwrap();
        assert_eq!((remark.expose(), format!("{remark:?}")), ("by the door", "Remark([redacted])".to_owned()));
        assert_eq!(serde_json::from_str::<Remark>("\"by the door\"").unwrap(), remark);
        let (long, blank) = ("ö".repeat(201), Remark::parse("reason", " \t").unwrap());
        assert!(blank.is_empty() && blank == Remark::none());
        assert!(Remark::parse("note", &long[2..]).is_ok(), "characters are counted, not bytes");
        for bad in [&long, "two\nlines", "a bell\u{7}"] {
            assert_eq!(Remark::parse("note", bad).map_err(|malformed| malformed.kind), Err("note"));
            assert!(serde_json::from_str::<Remark>(&serde_json::to_string(bad).unwrap()).is_err());
        }
    }
}
