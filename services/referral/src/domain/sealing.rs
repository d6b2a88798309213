//! A package on its way into an addendum of its exhibit. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use ids::{CallId, ExhibitId, ForceId, OfficerId};

/// The pause after the first attempt; each is twice the one before.
const FIRST: TimeDelta = TimeDelta::seconds(1);
/// No pause is longer. What it waits for wakes it anyway.
const LONGEST: TimeDelta = TimeDelta::minutes(5);
/// What can be said of why something is missing, in characters.
const REASON: usize = 500;

/// A sealing of a call's package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealing {
    /// Ours.
    pub id: uuid::Uuid,
    /// Whose force's.
    pub force: ForceId,
    /// Of which call.
    pub call: CallId,
    /// 1, 2 ... of the call.
    pub number: u32,
    /// Who asked.
    pub by: OfficerId,
    /// When.
    pub at: DateTime<Utc>,
    /// Why it is sealed with something missing. The officer's words.
    pub reason: String,
    /// Of the package, as it was then.
    pub score_percent: u32,
    /// The call's own exhibit.
    pub parent: ExhibitId,
    /// Why the last attempt came to nothing: evidence-store's reason.
    pub problem: String,
    /// How far it has come.
    pub state: SealingState,
}

/// How far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SealingState {
    /// The documents are to be brought.
    Waiting,
    /// They are there, and not sealed yet.
    Added(Addendum),
    /// They are sealed.
    Sealed(Addendum, DateTime<Utc>),
    /// Refused for good; where the documents are, if they were brought.
    Failed(Option<Addendum>),
}

/// Where the documents are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addendum {
    /// One, or more if it was sealed while they were brought; the last is where the package ends.
    pub exhibits: Vec<ExhibitId>,
    /// Of the last.
    pub reference: String,
}

/// What one attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// All of it is sealed, since then.
    Sealed(Addendum, DateTime<Utc>),
    /// All of it is there.
    Added(Addendum),
    /// Not now: evidence-store's reason.
    Later(String),
    /// Not ever.
    Never(String),
}

impl Sealing {
    /// Nothing more is to be done by itself.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.state, SealingState::Sealed(..) | SealingState::Failed(_))
    }

    /// How far it has come by an attempt; what is sealed or refused stays so.
    #[must_use]
    pub fn after(mut self, attempt: &Attempt) -> Self {
        if self.is_over() {
            return self;
        }
        match attempt {
            Attempt::Sealed(addendum, at) => self.state = SealingState::Sealed(addendum.clone(), *at),
            Attempt::Added(addendum) => self.state = SealingState::Added(addendum.clone()),
            Attempt::Never(_) => {
                self.state = SealingState::Failed(match self.state {
                    SealingState::Added(addendum) => Some(addendum),
                    _ => None,
                });
            }
            // What is there stays there.
            Attempt::Later(_) => {}
        }
        self
    }
}

/// How long after so many attempts it is tried again.
#[must_use]
pub fn pause(attempts: u32) -> TimeDelta {
    let doubled = FIRST.checked_mul(1_i32.checked_shl(attempts.saturating_sub(1).min(30)).unwrap_or(i32::MAX));
    doubled.unwrap_or(LONGEST).min(LONGEST)
}

/// Whether a reason is one that may be given; none may be none.
#[must_use]
pub fn is_reason(text: &str) -> bool {
    text.chars().count() <= REASON && !text.contains('\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealing() -> Sealing {
        Sealing {
            id: uuid::Uuid::from_u128(1),
            force: "wmp".parse().unwrap(),
            call: uuid::Uuid::from_u128(2).into(),
            number: 1,
            by: "pc.a".parse().unwrap(),
            at: DateTime::UNIX_EPOCH,
            reason: String::new(),
            score_percent: 100,
            parent: uuid::Uuid::from_u128(3).into(),
            problem: String::new(),
            state: SealingState::Waiting,
        }
    }

    #[test]
    fn it_goes_on_until_it_is_sealed_or_refused_and_then_no_further() {
        let there = Addendum { exhibits: vec![uuid::Uuid::from_u128(4).into()], reference: "WMP/2".into() };
        let (later, never) = (Attempt::Later("NOT_SEALED".into()), Attempt::Never("DISPOSED".into()));
        let (added, sealed) = (Attempt::Added(there.clone()), Attempt::Sealed(there.clone(), DateTime::UNIX_EPOCH));
        assert_eq!(sealing().after(&later).state, SealingState::Waiting);
        let brought = sealing().after(&added);
        assert_eq!(brought.clone().after(&later).state, SealingState::Added(there.clone()));
        let lost = brought.clone().after(&never);
        assert_eq!(lost.state, SealingState::Failed(Some(there.clone())), "a person has to look, and knows where");
        let done = brought.after(&sealed);
        assert_eq!(done.state, SealingState::Sealed(there, DateTime::UNIX_EPOCH));
        for attempt in [&later, &never, &added] {
            assert_eq!(done.clone().after(attempt), done);
        }
        let failed = sealing().after(&never);
        assert!(failed.is_over() && failed.clone().after(&sealed) == failed);
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        assert_eq!([0, 1, 2, 3].map(|attempts| pause(attempts).num_seconds()), [1, 1, 2, 4]);
        assert_eq!([9, 10, 40, u32::MAX].map(|attempts| pause(attempts).num_seconds()), [256, 300, 300, 300]);
    }
}
