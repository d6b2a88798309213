//! Names of keys that tokens came with and that the issuer's answer didn't have. Pure.
//!
//! That there is no such key can only be said by an answer that was asked for after the name was first seen: a key may
//! have been published since the answer before. Forged names are as many as anybody likes, so few are kept: of one for
//! which there is no room nobody can tell, unless it comes when the issuer may be asked again. That harms no good one,
//! since an answer speaks of all keys whoever asked for it.

use std::collections::HashSet;

/// More than an issuer changes keys within a minute.
const ROOM: usize = 32;
/// Longer than any real name.
const LONGEST: usize = 256;

type Name = Option<String>;

/// What has been seen, and what has been looked for in vain.
#[derive(Debug, Default)]
pub(super) struct Unknown {
    /// Seen since the last answer was asked for.
    wanted: HashSet<Name>,
    /// Seen before, and not in it.
    missing: HashSet<Name>,
}

impl Unknown {
    /// A token came with it.
    pub(super) fn want(&mut self, kid: Option<&str>) {
        if self.wanted.len() < ROOM && kid.is_none_or(|kid| kid.len() <= LONGEST) {
            self.wanted.insert(kid.map(str::to_owned));
        }
    }

    /// What an answer that is asked for now can speak of; also of the keys that there were so far.
    pub(super) fn asking(&self, had: impl IntoIterator<Item = Name>) -> HashSet<Name> {
        self.wanted.iter().cloned().chain(had).collect()
    }

    /// The answer has come. Of the names that were seen in the meantime it says nothing.
    pub(super) fn answered(&mut self, asked: HashSet<Name>) {
        self.wanted.retain(|name| !asked.contains(name));
        self.missing = asked;
    }

    /// There was no answer, so that the last one speaks of the past only.
    pub(super) fn unanswered(&mut self) {
        self.missing.clear();
    }

    /// Has the issuer said that it has no such key? To be asked of names that the last answer didn't have.
    pub(super) fn is_missing(&self, kid: Option<&str>) -> bool {
        self.missing.contains(&kid.map(str::to_owned))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_that_was_asked_for_later_says_that_there_is_no_such_key() {
        let mut unknown = Unknown::default();
        unknown.want(Some("early"));
        let asked = unknown.asking([Some("taken back".to_owned())]);
        unknown.want(Some("meanwhile"));
        unknown.answered(asked);
        unknown.want(Some("late"));
        let missing = |unknown: &Unknown| ["early", "meanwhile", "late"].map(|kid| unknown.is_missing(Some(kid)));
        assert_eq!(missing(&unknown), [true, false, false]);
        assert!(unknown.is_missing(Some("taken back")));
        let asked = unknown.asking([]);
        unknown.answered(asked);
        assert_eq!(missing(&unknown), [false, true, true], "what nobody came with any more is forgotten");
        unknown.unanswered();
        assert_eq!(missing(&unknown), [false; 3]);
        assert!(!unknown.is_missing(None));
    }

    #[test]
    fn forged_names_fill_no_memory() {
        let mut unknown = Unknown::default();
        for n in 0..1000 {
            unknown.want(Some(&n.to_string()));
        }
        let long = "x".repeat(LONGEST + 1);
        unknown.want(Some(&long));
        assert_eq!(unknown.asking([]).len(), ROOM);
        let asked = unknown.asking([]);
        unknown.answered(asked);
        unknown.want(Some(&long));
        assert_eq!((unknown.wanted.len(), unknown.missing.len()), (0, ROOM));
        unknown.want(Some("good"));
        assert_eq!(unknown.asking([]).len(), 1, "there is room again");
    }
}
