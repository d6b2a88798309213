//! The force's own reference for what happened: numbers restart every day, so the date is part of it (DOMAIN, "Words").

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::Malformed;

/// A calendar date, `YYYY-MM-DD`, as the force counts its days (Europe/London).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IncidentDate(String);

/// The force's number of the incident on that date: 1 to 32 letters, digits, `-` or `/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IncidentNumber(String);

/// Date and number together: unique within a force.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct IncidentRef {
    /// The day the number belongs to.
    pub date: IncidentDate,
    /// The number on that day.
    pub number: IncidentNumber,
}

impl IncidentRef {
    /// Parses both parts.
    ///
    /// # Errors
    /// Names the part that is malformed.
    pub fn parse(date: &str, number: &str) -> Result<Self, Malformed> {
        Ok(Self { date: date.parse()?, number: number.parse()? })
    }
}

impl FromStr for IncidentDate {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = Malformed { kind: "incident date", rule: "a calendar date, YYYY-MM-DD" };
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return Err(malformed);
        }
        let number = |range: std::ops::Range<usize>| -> Result<u32, Malformed> {
            let part = &bytes[range];
            if !part.iter().all(u8::is_ascii_digit) {
                return Err(malformed);
            }
            Ok(part.iter().fold(0, |n, b| n * 10 + u32::from(b - b'0')))
        };
        let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => 0,
        };
        if (1..=days).contains(&day) { Ok(Self(text.to_owned())) } else { Err(malformed) }
    }
}

impl FromStr for IncidentNumber {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'/');
        if (1..=32).contains(&text.len()) && text.bytes().all(allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err(Malformed { kind: "incident number", rule: "1 to 32 letters, digits, '-' or '/'" })
    }
}

macro_rules! text {
    ($($name:ident),*) => {$(
        impl $name {
            /// As text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Malformed;

            fn try_from(text: String) -> Result<Self, Malformed> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

text!(IncidentDate, IncidentNumber);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_real_days() {
        for good in ["2026-11-24", "2028-02-29", "2000-02-29"] {
            assert!(good.parse::<IncidentDate>().is_ok(), "{good}");
        }
        for bad in [
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-04-31",
            "26-11-24",
            "2026/11/24",
            "2026-1x-24",
        ] {
            assert!(bad.parse::<IncidentDate>().is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_are_short_and_plain() {
        assert!("1123/A-7".parse::<IncidentNumber>().is_ok());
        for bad in ["", "11 23", "é", &"9".repeat(33)] {
            assert!(bad.parse::<IncidentNumber>().is_err(), "{bad}");
        }
    }
}
