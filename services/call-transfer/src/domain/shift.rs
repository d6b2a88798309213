//! When an officer is on duty. Whoever has shifts is offered no new call outside of them.

use chrono::{DateTime, TimeDelta, Utc};
use ids::{ForceId, OfficerId, ShiftId};

/// The longest.
const LONGEST: TimeDelta = TimeDelta::hours(16);

/// An officer's shift.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// Which.
    pub id: ShiftId,
    /// Of which force.
    pub force: ForceId,
    /// Whose.
    pub officer: OfficerId,
    /// From then on ...
    pub from: DateTime<Utc>,
    /// ... and before then.
    pub until: DateTime<Utc>,
}

/// Why it can't be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoShift {
    /// No time, too long, or over.
    Time,
    /// The officer has another one then.
    Overlaps,
}

impl Shift {
    /// Whether it can be, beside the officer's others.
    ///
    /// # Errors
    /// It can't.
    pub fn check(&self, others: &[Self], now: DateTime<Utc>) -> Result<(), NoShift> {
        if self.from >= self.until || self.until - self.from > LONGEST || self.until <= now {
            return Err(NoShift::Time);
        }
        let meets = |other: &Self| other.id != self.id && other.from < self.until && self.from < other.until;
        if others.iter().any(meets) { Err(NoShift::Overlaps) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{at, force, officer},
        *,
    };

    fn shift(n: u128, from: i64, until: i64) -> Shift {
        let (from, until) = (at(from * 3600), at(until * 3600));
        Shift { id: uuid::Uuid::from_u128(n).into(), force: force(), officer: officer(1), from, until }
    }

    #[test]
    fn shifts_follow_each_other_and_none_is_longer_than_a_person_can_bear() {
        let others = [shift(1, 0, 8), shift(2, 16, 24)];
        let check = |from, until| shift(3, from, until).check(&others, at(3600));
        assert_eq!(check(8, 16), Ok(()));
        for (from, until) in [(7, 9), (15, 17), (1, 2), (6, 18)] {
            assert_eq!(check(from, until), Err(NoShift::Overlaps), "{from} {until}");
        }
        for (from, until) in [(9, 9), (10, 9), (24, 41), (-8, 1)] {
            assert_eq!(check(from, until), Err(NoShift::Time), "{from} {until}");
        }
        assert_eq!(shift(1, 2, 10).check(&others, at(3600)), Ok(()), "its own former time is no other shift");
    }
}
