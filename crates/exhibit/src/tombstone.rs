//! What is left of an exhibit that was disposed of: what it was, who let it go, and why. One canonical JSON file, signed,
//! timestamped and logged as the seal was, and one definition of it for whoever writes it and whoever verifies it.

use chrono::{DateTime, Utc};
use ids::ExhibitId;
use serde::{Deserialize, Serialize};

use crate::{jcs, manifest::text::optional_integer, sha256::Digest};

/// The tombstone.
pub const TOMBSTONE: &str = "proof/tombstone.json";
/// The detached signature over it.
pub const SIGNATURE: &str = "proof/tombstone.p7s";
/// The timestamp over the signature: a whole TimeStampResp (RFC 3161).
pub const TIMESTAMP: &str = "proof/tombstone.tsr";
/// The log entry that names exhibit, signature and timestamp.
pub const LOG_ENTRY: &str = "proof/tombstone-log-entry.txt";
/// The proof that the log has that entry (C2SP tlog-proof).
pub const LOG_PROOF: &str = "proof/tombstone.tlog-proof";

/// The version of the format. A reader that doesn't know it must refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Format {
    /// `alcove-tombstone/1`
    #[default]
    #[serde(rename = "alcove-tombstone/1")]
    V1,
}

/// What a tombstone says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tombstone {
    /// Version of this format.
    pub format: Format,
    /// The exhibit that is gone.
    pub exhibit: ExhibitId,
    /// Its reference.
    pub reference: String,
    /// SHA-256 of its seal.
    pub seal_sha256: Digest,
    /// The seal's place in the log; null: none is configured.
    #[serde(with = "optional_integer")]
    pub log_index: Option<u64>,
    /// The class that it was kept in.
    pub class: String,
    /// Who said that it may go, oldest first: at least two, all different people.
    pub reviews: Vec<Review>,
    /// Who disposed of it.
    pub who: String,
    /// Why.
    pub reason: String,
    /// When, by the clock of whoever wrote this.
    #[serde(with = "crate::time::text")]
    pub disposed_at: DateTime<Utc>,
}

/// One person's word that the exhibit may go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// Who.
    pub who: String,
    /// Why.
    pub reason: String,
    /// When.
    #[serde(with = "crate::time::text")]
    pub at: DateTime<Utc>,
}

/// Why a tombstone can't be written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not JSON, not this format, or a field that is unknown, missing or malformed.
    #[error("not a tombstone of format alcove-tombstone/1")]
    Malformed(#[source] serde_json::Error),
    /// Right in content, wrong in spelling.
    #[error("not in canonical form (RFC 8785)")]
    NotCanonical,
    /// Nobody may dispose of an exhibit that fewer than two have reviewed.
    #[error("fewer than two people reviewed the exhibit")]
    OneReview,
    /// One person can't be two.
    #[error("{0} and {1} are one person: two different people have to review the exhibit")]
    SamePerson(String, String),
    /// It has no canonical form.
    #[error("can't be written in canonical form")]
    Unwritable(#[source] jcs::Error),
}

/// Are these the same person? Names are typed: case, spaces and punctuation don't make a second one of somebody.
#[must_use]
pub fn same_person(a: &str, b: &str) -> bool {
    let key =
        |name: &str| -> String { name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect() };
    key(a) == key(b)
}

impl Tombstone {
    /// The canonical bytes, which are signed.
    ///
    /// # Errors
    /// [`Error::OneReview`] or [`Error::SamePerson`]: such a disposal is none.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        self.check()?;
        jcs::to_vec(self).map_err(Error::Unwritable)
    }

    /// Reads what [`Tombstone::to_bytes`] writes, and nothing else.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let read: Self = serde_json::from_slice(bytes).map_err(Error::Malformed)?;
        if read.to_bytes()? != bytes {
            return Err(Error::NotCanonical);
        }
        Ok(read)
    }

    fn check(&self) -> Result<(), Error> {
        if self.reviews.len() < 2 {
            return Err(Error::OneReview);
        }
        for (n, review) in self.reviews.iter().enumerate() {
            if let Some(first) = self.reviews[..n].iter().find(|first| same_person(&first.who, &review.who)) {
                return Err(Error::SamePerson(first.who.clone(), review.who.clone()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;

    use super::*;

    fn tombstone(reviewers: &[&str]) -> Tombstone {
        let at = "2033-01-02T03:04:05.000006Z".parse().unwrap();
        let review = |who: &&str| Review { who: (*who).to_owned(), reason: "term over".to_owned(), at };
        Tombstone {
            format: Format::V1,
            exhibit: "0190a000-0000-7000-8000-000000000001".parse().unwrap(),
            reference: "ALC/7F3K9Q2M/1".to_owned(),
            seal_sha256: Digest::of(b"seal"),
            log_index: Some(5),
            class: "default".to_owned(),
            reviews: reviewers.iter().map(review).collect(),
            who: "records 12".to_owned(),
            reason: "reviewed by two".to_owned(),
            disposed_at: at,
        }
    }

    #[test]
    fn it_is_read_back_and_no_other_spelling_is() {
        for log_index in [Some(5), None] {
            let honest = Tombstone { log_index, ..tombstone(&["Insp 7", "Supt 9"]) };
            assert_eq!(Tombstone::parse(&honest.to_bytes().unwrap()).unwrap(), honest);
        }
        let text = String::from_utf8(tombstone(&["Insp 7", "Supt 9"]).to_bytes().unwrap()).unwrap();
        assert!(
            text.starts_with(r#"{"class":"default","disposed_at":"2033-01-02T03:04:05.000006Z","exhibit":"#),
            "{text}"
        );
        for (bad, why) in [
            (text.replace("/1\"", "/2\""), "not a tombstone"),
            (text.replacen('{', r#"{"also":"","#, 1), "not a tombstone"),
            (text.replace(r#""who":"Insp 7""#, r#""rank":"1","who":"Insp 7""#), "not a tombstone"),
            (text.replace(r#""class":"default","#, ""), "not a tombstone"),
            (text.replace(r#""log_index":"5","#, ""), "not a tombstone"),
            (text.replace("\"5\"", "5"), "not a tombstone"),
            (text.replace("\"5\"", "\"05\""), "not a tombstone"),
            (text.replacen(".000006Z", "Z", 1), "not a tombstone"),
            (format!("{text}\n"), "not in canonical form"),
            (text.replacen(':', ": ", 1), "not in canonical form"),
            (text.replacen("default", "d\\u0065fault", 1), "not in canonical form"),
        ] {
            assert_ne!(bad, text);
            assert!(Tombstone::parse(bad.as_bytes()).unwrap_err().to_string().starts_with(why), "{bad}");
        }
    }

    #[test]
    fn two_different_people_must_have_reviewed_it() {
        let written = |reviewers: &[&str]| tombstone(reviewers).to_bytes();
        assert!(written(&["Insp 7", "Supt 9", "DCI 3"]).is_ok());
        for few in [&[][..], &["Insp 7"]] {
            assert!(matches!(written(few), Err(Error::OneReview)));
        }
        for twice in [&["Insp 7", "Insp 7"][..], &["Insp 7", "insp.7 "], &["Insp 7", "Supt 9", "INSP-7"]] {
            assert!(matches!(written(twice), Err(Error::SamePerson(..))), "{twice:?}");
            // Nor is it read, whoever wrote it.
            let json = jcs::to_vec(&tombstone(twice)).unwrap();
            assert!(matches!(Tombstone::parse(&json), Err(Error::SamePerson(..))), "{twice:?}");
        }
    }

    proptest! {
        #[test]
        fn a_flipped_bit_is_refused_or_says_something_else(at: prop::sample::Index, bit in 0_u8..8) {
            let honest = tombstone(&["Insp 7", "Supt 9"]);
            let mut bytes = honest.to_bytes().unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert_ne!(Tombstone::parse(&bytes).ok(), Some(honest));
        }

        #[test]
        fn any_bytes_are_judged_without_panic(bytes: Vec<u8>) {
            let _ = Tombstone::parse(&bytes);
        }
    }
}
