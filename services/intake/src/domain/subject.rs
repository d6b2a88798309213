//! Which child, which referral: a reference of the control room's or the officer's own, and never a name.

use serde::{Deserialize, Serialize};

use super::Invalid;

/// `child-2`, `IDVA/2026/114`. Published and kept with what was agreed, so it must say nothing by itself; a digit in it keeps
/// most names out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Subject(String);

/// The most characters.
const LENGTH: usize = 40;

impl Subject {
    /// Takes a reference.
    ///
    /// # Errors
    /// Too long, or not shaped like one.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'/');
        if text.len() <= LENGTH && text.bytes().all(allowed) && text.bytes().any(|b| b.is_ascii_digit()) {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid {
            field: "subject",
            rule: "1 to 40 letters, digits, '.', '_', '-' and '/' with a digit among them",
        })
    }

    /// The reference.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_one_and_a_name_is_none() {
        for good in ["1", "child-2", "IDVA/2026/114", "MARAC_7.b", &"7".repeat(40)] {
            assert_eq!(Subject::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "Mia", "Mia Jones 7", "child-two", "7\0", "ref:7", "M\u{ed}a7", &"7".repeat(41)] {
            assert!(Subject::parse(bad).is_err(), "{bad}");
        }
    }
}
