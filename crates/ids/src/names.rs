//! Names that others give: forces, officers, tracks. Short, ASCII, safe in a subject, a path and a log line.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::Malformed;

macro_rules! name {
    ($(#[$doc:meta] $name:ident = $kind:literal, $rule:literal, $len:expr, $allowed:expr;)*) => {$(
        #[$doc]
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Malformed;

            fn from_str(text: &str) -> Result<Self, Malformed> {
                let allowed: fn(u8) -> bool = $allowed;
                if $len.contains(&text.len()) && text.bytes().all(allowed) {
                    return Ok(Self(text.to_owned()));
                }
                Err(Malformed { kind: $kind, rule: $rule })
            }
        }

        impl TryFrom<String> for $name {
            type Error = Malformed;

            fn try_from(text: String) -> Result<Self, Malformed> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

name! {
    /// A police force: `wmp`, `kent`. Every row and every event belongs to one.
    ForceId = "force", "2 to 16 of a-z, 0-9 and '-'", (2..=16),
        |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    /// An instance of a service among others, as its operator names it. Part of a path, so it says nothing to strangers.
    InstanceName = "instance name", "1 to 40 of a-z, 0-9 and '-'", (1..=40),
        |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    /// One participant's recording within an exhibit: `caller-1`. A path component of the package.
    TrackName = "track", "1 to 64 of a-z, 0-9 and '-'", (1..=64),
        |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
}

impl TrackName {
    /// The name that is kept for an exhibit's items: they form a chain of their own beside the recorded tracks.
    #[must_use]
    pub fn items() -> Self {
        Self("items".to_owned())
    }

    /// Is it the items' name?
    #[must_use]
    pub fn is_items(&self) -> bool {
        self.0 == "items"
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_force_is_always_one_subject_token(text in ".{0,20}") {
            if let Ok(force) = text.parse::<ForceId>() {
                prop_assert!(!force.as_str().contains(['.', '*', '>', ' ', '/']));
                prop_assert!(!force.as_str().is_empty());
            }
        }
    }

    #[test]
    fn serde_refuses_what_parsing_refuses() {
        assert!(serde_json::from_str::<TrackName>("\"../etc\"").is_err());
        assert_eq!(serde_json::from_str::<TrackName>("\"caller-1\"").unwrap().as_str(), "caller-1");
    }
}
