//! The access log: who looked at an exhibit, why, what at, and when. One line of canonical JSON a look, each naming the hash
//! of the one before; the last line's hash is the head, which goes into the log.

use chrono::{DateTime, Utc};
use ids::ExhibitId;
use serde::{Deserialize, Serialize};

use crate::{jcs, manifest::text::integer, sha256::Digest};

/// The log, as far as it goes.
pub const ACCESS_LOG: &str = "access/access-log.jsonl";
/// The proof that the log of seals has its head.
pub const ACCESS_PROOF: &str = "access/access-log.tlog-proof";
/// The entry that names its head.
pub const ACCESS_ENTRY: &str = "access/log-entry.txt";

/// One look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// When.
    #[serde(with = "crate::time::text")]
    pub at: DateTime<Utc>,
    /// At which exhibit.
    pub exhibit: ExhibitId,
    /// 0, 1 ... of this exhibit.
    #[serde(with = "integer")]
    pub n: u64,
    /// SHA-256 of the line before, with its newline; [`genesis`] for the first.
    pub prev: Digest,
    /// Why, as they gave it.
    pub reason: String,
    /// What at, such as `export`.
    pub what: String,
    /// Who.
    pub who: String,
}

/// What is wrong with an access log, and in which line (from 1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Broken {
    /// From 1.
    pub line: u64,
    /// In plain words.
    pub what: &'static str,
}

/// What the first line names as the one before it: 32 zero bytes.
#[must_use]
pub fn genesis() -> Digest {
    [0; 32].into()
}

impl Line {
    /// The line's bytes, newline included.
    ///
    /// # Errors
    /// Never in practice: a line holds no number.
    pub fn to_bytes(&self) -> Result<Vec<u8>, jcs::Error> {
        let mut bytes = jcs::to_vec(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

/// How many lines there are, and the head: checks every line's spelling, place, exhibit and link.
///
/// # Errors
/// The first line that doesn't fit.
pub fn check(log: &[u8], exhibit: ExhibitId) -> Result<(u64, Digest), Broken> {
    let mut head = genesis();
    let mut n = 0;
    for bytes in log.split_inclusive(|b| *b == b'\n') {
        let broken = |what| Broken { line: n + 1, what };
        let line: Line = serde_json::from_slice(bytes).map_err(|_| broken("is not a line of an access log"))?;
        if line.to_bytes().ok().as_deref() != Some(bytes) {
            return Err(broken("is not in canonical form"));
        }
        if line.exhibit != exhibit {
            return Err(broken("is about another exhibit"));
        }
        if line.n != n {
            return Err(broken("is not the next: lines were removed, repeated or reordered"));
        }
        if line.prev != head {
            return Err(broken("doesn't follow from the line before it: one of the two was altered"));
        }
        head = Digest::of(bytes);
        n += 1;
    }
    Ok((n, head))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;

    use super::*;

    fn exhibit() -> ExhibitId {
        "0190a000-0000-7000-8000-000000000001".parse().unwrap()
    }

    fn log(lines: u64) -> Vec<Vec<u8>> {
        let mut prev = genesis();
        let line = |n| {
            let at = DateTime::from_timestamp_micros(1_800_000_000_000_000 + n as i64).unwrap();
            let (reason, what) = (format!("bail \"{n}\""), "export".to_owned());
            let bytes = Line { at, exhibit: exhibit(), n, prev, reason, what, who: "pc.é".into() }.to_bytes().unwrap();
            prev = Digest::of(&bytes);
            bytes
        };
        (0..lines).map(line).collect()
    }

    #[test]
    fn an_honest_log_is_read_back() {
        assert_eq!(check(b"", exhibit()), Ok((0, genesis())));
        let lines = log(3);
        assert_eq!(check(&lines.concat(), exhibit()), Ok((3, Digest::of(&lines[2]))));
        assert!(lines[0].starts_with(br#"{"at":"2027-01-15T08:00:00.000000Z","exhibit":"0190a000"#), "{lines:?}");
    }

    #[test]
    fn the_first_line_that_does_not_fit_is_named() {
        let honest = log(4);
        let broken = |lines: &[Vec<u8>]| check(&lines.concat(), exhibit()).unwrap_err().line;
        assert_eq!(broken(&honest[1..]), 1);
        assert_eq!(broken(&[honest[0].clone(), honest[2].clone(), honest[1].clone(), honest[3].clone()]), 2);
        assert_eq!(broken(&[honest[0].clone(), honest[0].clone()]), 2);
        assert_eq!(
            check(&honest.concat(), "0190a000-0000-7000-8000-000000000002".parse().unwrap()).unwrap_err().line,
            1
        );
    }

    proptest! {
        #[test]
        fn a_flipped_bit_is_detected_or_changes_the_head(at in 0_usize..2_000, bit in 0_u8..8) {
            let mut bytes = log(5).concat();
            let honest = check(&bytes, exhibit()).unwrap();
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            prop_assert_ne!(check(&bytes, exhibit()), Ok(honest));
        }

        #[test]
        fn any_bytes_are_judged_without_panic(bytes: Vec<u8>) {
            let _ = check(&bytes, exhibit());
        }
    }
}
