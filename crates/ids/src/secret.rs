//! Values that must not be seen: their `Debug` says `[redacted]`, and they have no `Display`.

use std::{fmt, str::FromStr};

use serde::Deserialize;

use crate::Malformed;

/// A secret or a piece of personal data. Reading it is a call that a reviewer can grep for.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Hides a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The number a caller rang from: E.164, such as `+447700900123`. Personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneNumber(Secret<String>);

impl PhoneNumber {
    /// The digits, with their plus sign.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl FromStr for PhoneNumber {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let digits = text.strip_prefix('+').unwrap_or_default();
        if (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0') {
            return Ok(Self(Secret::new(text.to_owned())));
        }
        Err(Malformed { kind: "phone number", rule: "E.164: '+' and 7 to 15 digits" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_prints_a_number() {
        let number: PhoneNumber = "+447700900123".parse().unwrap();
        assert_eq!(format!("{number:?}"), "PhoneNumber([redacted])");
        assert_eq!(number.expose(), "+447700900123");
        for bad in ["07700900123", "+44 7700", "+0447700900123", ""] {
            assert!(!format!("{:?}", bad.parse::<PhoneNumber>()).contains("7700"), "{bad}");
            assert!(bad.parse::<PhoneNumber>().is_err(), "{bad}");
        }
    }
}
