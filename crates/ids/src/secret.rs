//! Values that must not be seen: their `Debug` says `[redacted]`, they have no `Display`, and nothing of them stays in memory.

use std::{fmt, str::FromStr};

use serde::Deserialize;
use zeroize::Zeroize;

use crate::Malformed;

/// A secret or a piece of personal data. Reading it is a call that a reviewer can grep for; where it was in memory is overwritten when it
/// goes.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> Secret<T> {
    /// Hides a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
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
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    };

    use super::*;

    /// It knows whether it was overwritten.
    #[derive(Clone, Default)]
    struct Probe(Arc<AtomicBool>);

    impl Zeroize for Probe {
        fn zeroize(&mut self) {
            self.0.store(true, Relaxed);
        }
    }

    #[test]
    fn a_secret_is_overwritten_when_it_goes() {
        let probe = Probe::default();
        let secret = Secret::new(probe.clone());
        assert!(!probe.0.load(Relaxed));
        drop(secret);
        assert!(probe.0.load(Relaxed));
    }

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
