//! Officers of one force who may take calls of another, because sergeants of both have said so.
//!
//! ```text
//! Offered --agree, borrower--> Agreed --end, either, or the window's end--> Over
//! Offered --end, either, or the window's end--> Over
//! ```

use chrono::{DateTime, TimeDelta, Utc};
use ids::{ForceId, LoanId, OfficerId};

use super::Window;

/// The longest.
const LONGEST: TimeDelta = TimeDelta::days(14);
/// How far ahead one may begin.
const AHEAD: TimeDelta = TimeDelta::days(90);
/// The most officers.
const MOST: usize = 50;

/// What one force lends to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loan {
    /// Which.
    pub id: LoanId,
    /// The lender.
    pub from: ForceId,
    /// The borrower.
    pub to: ForceId,
    /// Who is lent, by their ids at home.
    pub officers: Vec<OfficerId>,
    /// When they may be there.
    pub window: Window,
    /// The lender's sergeant.
    pub offered_by: OfficerId,
    /// The borrower's.
    pub agreed_by: Option<OfficerId>,
    /// Who ended it before its time, with their force, and when.
    pub ended: Option<(OfficerId, DateTime<Utc>)>,
}

/// Where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoanState {
    /// The lender has said so.
    Offered,
    /// The borrower too.
    Agreed,
    /// It was ended, or its window is over.
    Over,
}

/// Why it can't be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoLoan {
    /// To oneself, of nobody or too many, at no time, too long, or in the past.
    Invalid,
    /// It is over.
    Over,
    /// Who lends can't also agree for who borrows.
    NotYoursToAgree,
}

impl Loan {
    /// A sergeant of the lender offers it.
    ///
    /// # Errors
    /// It can't be.
    pub fn offer(
        id: LoanId,
        (from, by): (ForceId, OfficerId),
        to: ForceId,
        mut officers: Vec<OfficerId>,
        window: Window,
        now: DateTime<Utc>,
    ) -> Result<Self, NoLoan> {
        let is_time = window.from < window.until
            && window.until - window.from <= LONGEST
            && now < window.until
            && window.from <= now + AHEAD;
        // Somebody whom another force has lent isn't ours to lend.
        let is_ours = officers.iter().all(|officer| officer.lent_by().is_none());
        if !is_time || !is_ours || from == to || !(1..=MOST).contains(&officers.len()) {
            return Err(NoLoan::Invalid);
        }
        officers.sort();
        officers.dedup();
        Ok(Self { id, from, to, officers, window, offered_by: by, agreed_by: None, ended: None })
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self, now: DateTime<Utc>) -> LoanState {
        if self.ended.is_some() || self.window.until <= now {
            LoanState::Over
        } else if self.agreed_by.is_some() {
            LoanState::Agreed
        } else {
            LoanState::Offered
        }
    }

    /// A sergeant agrees. Agreeing again changes nothing.
    ///
    /// # Errors
    /// They are the lender's, or it is over.
    pub fn agree(self, (force, by): (&ForceId, &OfficerId), now: DateTime<Utc>) -> Result<Self, NoLoan> {
        if *force != self.to {
            return Err(NoLoan::NotYoursToAgree);
        }
        if self.state(now) == LoanState::Over {
            return Err(NoLoan::Over);
        }
        let agreed_by = self.agreed_by.or_else(|| Some(by.clone()));
        Ok(Self { agreed_by, ..self })
    }

    /// A sergeant of either force ends it.
    ///
    /// # Errors
    /// It is over already.
    pub fn end(self, (force, by): (&ForceId, &OfficerId), now: DateTime<Utc>) -> Result<Self, NoLoan> {
        if self.state(now) == LoanState::Over {
            return Err(NoLoan::Over);
        }
        let other = if *force == self.from { &self.to } else { &self.from };
        let ended = Some((by.at(other, force), now));
        Ok(Self { ended, ..self })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::{
        super::tests::{at, officer},
        *,
    };

    fn kent() -> ForceId {
        "kent".parse().unwrap()
    }

    fn surrey() -> ForceId {
        "surrey".parse().unwrap()
    }

    fn offered(officers: Vec<OfficerId>, to: ForceId, from: i64, until: i64) -> Result<Loan, NoLoan> {
        let window = Window { from: at(from), until: at(until) };
        Loan::offer(uuid::Uuid::from_u128(1).into(), (kent(), officer(9)), to, officers, window, at(0))
    }

    #[test]
    fn what_is_no_loan_is_not_offered() {
        const DAY: i64 = 86_400;
        assert!(offered(vec![officer(1)], surrey(), -DAY, 13 * DAY).is_ok());
        assert!(offered(vec![officer(1)], surrey(), 90 * DAY, 91 * DAY).is_ok());
        for (from, until) in [(5, 5), (6, 5), (-10, 0), (0, 14 * DAY + 1), (90 * DAY + 1, 91 * DAY)] {
            assert_eq!(offered(vec![officer(1)], surrey(), from, until), Err(NoLoan::Invalid), "{from} {until}");
        }
        let many = |most: u8| (0..most).map(officer).collect::<Vec<_>>();
        let lent: OfficerId = "a.patel@wmp".parse().unwrap();
        for officers in [vec![], many(51), vec![lent]] {
            assert_eq!(offered(officers, surrey(), 0, 5), Err(NoLoan::Invalid));
        }
        assert_eq!(offered(vec![officer(1)], kent(), 0, 5), Err(NoLoan::Invalid), "to oneself");
        let loan = offered(vec![officer(2), officer(1), officer(2)], surrey(), 0, 5).unwrap();
        assert_eq!(loan.officers, [officer(1), officer(2)]);
        assert_eq!(offered(many(50), surrey(), 0, 5).unwrap().officers.len(), 50);
    }

    #[test]
    fn the_first_who_agrees_has_agreed_and_who_ended_it_is_named_with_their_force() {
        let loan = offered(vec![officer(1)], surrey(), 0, 100).unwrap();
        let agreed = loan.clone().agree((&surrey(), &officer(7)), at(1)).unwrap();
        assert_eq!(agreed.clone().agree((&surrey(), &officer(8)), at(2)), Ok(agreed.clone()));
        let ended = agreed.end((&surrey(), &officer(8)), at(3)).unwrap();
        assert_eq!(ended.ended, Some(("officer-8@surrey".parse().unwrap(), at(3))));
        assert_eq!(ended.clone().agree((&surrey(), &officer(7)), at(4)), Err(NoLoan::Over));
        assert_eq!(ended.end((&kent(), &officer(9)), at(4)), Err(NoLoan::Over));
        let back = loan.end((&kent(), &officer(9)), at(3)).unwrap();
        assert_eq!(back.ended.unwrap().0.as_str(), "officer-9@kent");
    }

    #[derive(Debug, Clone, Copy)]
    enum Does {
        Agree(bool),
        End(bool),
    }

    proptest! {
        /// Whatever sergeants of the two forces say, in whatever order, and whenever.
        #[test]
        fn in_force_is_what_both_have_said_inside_the_window(
            from in 0i64..50,
            long in 1i64..50,
            steps in prop::collection::vec(
                (0i64..20, prop_oneof![any::<bool>().prop_map(Does::Agree), any::<bool>().prop_map(Does::End)]),
                0..8,
            ),
            later in 0i64..40,
        ) {
            let until = from + long;
            // As the store asks it, whose word counts.
            let is_in_force = |loan: &Loan, now| loan.state(at(now)) == LoanState::Agreed && loan.window.from <= at(now);
            let mut loan = offered(vec![officer(1)], surrey(), from, until).unwrap();
            let (mut now, mut agreed, mut ended) = (0, false, false);
            for (wait, does) in steps {
                now += wait;
                let force = |lender: bool| if lender { kent() } else { surrey() };
                let is_over = ended || now >= until;
                let (step, may) = match does {
                    Does::Agree(lender) => {
                        (loan.clone().agree((&force(lender), &officer(1)), at(now)), !lender && !is_over)
                    }
                    Does::End(lender) => (loan.clone().end((&force(lender), &officer(1)), at(now)), !is_over),
                };
                prop_assert_eq!(step.is_ok(), may, "{:?} at {}", does, now);
                if let Ok(step) = step {
                    agreed |= matches!(does, Does::Agree(_));
                    ended |= matches!(does, Does::End(_));
                    loan = step;
                }
                prop_assert_eq!(is_in_force(&loan, now), agreed && !ended && from <= now && now < until);
            }
            now += later;
            prop_assert_eq!(is_in_force(&loan, now), agreed && !ended && from <= now && now < until);
        }
    }
}
