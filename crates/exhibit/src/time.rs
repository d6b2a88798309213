//! Instants as the format writes them: RFC 3339, UTC, always six decimals, `2026-11-24T18:39:00.000000Z`. One spelling an instant.

use chrono::{DateTime, SecondsFormat, SubsecRound, Utc};

/// The one spelling of an instant. What is finer than a microsecond is dropped.
#[must_use]
pub fn write(at: DateTime<Utc>) -> String {
    at.trunc_subsecs(6).to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Reads the one spelling and no other.
#[must_use]
pub fn read(text: &str) -> Option<DateTime<Utc>> {
    let at = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    (write(at) == text).then_some(at)
}

/// For `#[serde(with = "...")]`.
pub(crate) mod text {
    use chrono::{DateTime, Utc};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::write(*at))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::read(&text).ok_or_else(|| D::Error::custom("not a time: RFC 3339, UTC, six decimals"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn one_spelling_an_instant() {
        let text = "2026-11-24T18:39:00.000010Z";
        assert_eq!(write(read(text).unwrap()), text);
        for bad in [
            "2026-11-24T18:39:00Z",
            "2026-11-24T18:39:00.00001Z",
            "2026-11-24T19:39:00.000010+01:00",
            "2026-11-24t18:39:00.000010z",
            "2026-11-24 18:39:00.000010Z",
            "2026-11-24T18:39:00.0000100Z",
            "",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
