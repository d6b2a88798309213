//! One invitation: ten minutes, one use, five tries; a newer one for the same role voids it.

use chrono::{DateTime, TimeDelta, Utc};

use super::Role;

/// How long a code is good for.
pub const CODE_LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// For so long after a code was used, whoever used it may ask for its answer again.
pub const ANSWERED_AGAIN: TimeDelta = TimeDelta::minutes(2);
/// Wrong proofs that an invitation bears before it is spent.
pub const TRIES: u8 = 5;

/// How the key of an invitation gets to whom it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A code, read out.
    SpokenCode,
    /// A link, in a text message; and a code besides.
    Sms,
}

impl Way {
    /// As the database spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SpokenCode => "spoken_code",
            Self::Sms => "sms",
        }
    }

    /// The way spelt so, if there is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::SpokenCode, Self::Sms].into_iter().find(|way| way.as_str() == text)
    }
}

/// An invitation, without its code: that is nowhere but on the voice line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// What it makes of whoever has the code.
    pub role: Role,
    /// How that gets to them.
    pub way: Way,
    /// After this the code is refused.
    pub expires_at: DateTime<Utc>,
    /// Wrong tries that it still bears.
    pub tries_left: u8,
    /// When it was used.
    pub used_at: Option<DateTime<Utc>>,
    /// When a newer one took its place, or the session ended.
    pub voided_at: Option<DateTime<Utc>>,
}

/// Why a right code does not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It has let somebody in already.
    #[error("the code has been used")]
    Used,
    /// Its ten minutes are over, or a newer one voids it.
    #[error("the code has expired")]
    Expired,
    /// Five wrong tries came first.
    #[error("there were too many wrong tries")]
    Spent,
}

/// What a try made of the invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
    /// The code was right: whoever typed it is let in.
    Opened(Invitation),
    /// The code was wrong; the invitation bears it, and counts.
    Wrong(Invitation),
    /// The code was right, and too late.
    Refused(Refused),
}

impl Invitation {
    /// A fresh one.
    #[must_use]
    pub fn issue(role: Role, way: Way, now: DateTime<Utc>) -> Self {
        Self { role, way, expires_at: now + CODE_LIFETIME, tries_left: TRIES, used_at: None, voided_at: None }
    }

    /// Whether a right code would let in.
    ///
    /// # Errors
    /// Why not.
    pub fn usable(&self, now: DateTime<Utc>) -> Result<(), Refused> {
        match self {
            Self { used_at: Some(_), .. } => Err(Refused::Used),
            Self { voided_at: Some(_), .. } => Err(Refused::Expired),
            Self { expires_at, .. } if now >= *expires_at => Err(Refused::Expired),
            Self { tries_left: 0, .. } => Err(Refused::Spent),
            _ => Ok(()),
        }
    }

    /// Would its link let in? Wrong tries at its code say nothing about a link, which nobody guesses.
    #[must_use]
    pub fn is_open(&self, now: DateTime<Utc>) -> bool {
        matches!(self.usable(now), Ok(()) | Err(Refused::Spent))
    }

    /// Was it used just now? The answer may not have got there.
    #[must_use]
    pub fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        self.used_at.is_some_and(|used| now - used < ANSWERED_AGAIN)
    }

    /// One try. Only somebody with the right code learns what became of it; a wrong one always looks the same.
    #[must_use]
    pub fn attempt(mut self, right: bool, now: DateTime<Utc>) -> Tried {
        match (right, self.usable(now)) {
            (true, Err(refused)) => Tried::Refused(refused),
            (true, Ok(())) => {
                self.used_at = Some(now);
                Tried::Opened(self)
            }
            (false, usable) => {
                if usable.is_ok() {
                    self.tries_left -= 1;
                }
                Tried::Wrong(self)
            }
        }
    }

    /// Its link was followed.
    ///
    /// # Errors
    /// Why that does not let in.
    pub fn follow(mut self, now: DateTime<Utc>) -> Result<Self, Refused> {
        match self.usable(now) {
            Ok(()) | Err(Refused::Spent) => {
                self.used_at = Some(now);
                Ok(self)
            }
            Err(refused) => Err(refused),
        }
    }

    /// A newer one takes its place.
    #[must_use]
    pub fn void(mut self, now: DateTime<Utc>) -> Self {
        self.voided_at.get_or_insert(now);
        self
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    proptest! {
        /// However tries fall: at most one opens, never after five wrong ones, and never from the tenth minute on.
        #[test]
        fn opens_once_at_most(tries in prop::collection::vec((any::<bool>(), 0_i64..200), 0..20)) {
            let mut invitation = Invitation::issue(Role::Caller, Way::SpokenCode, at(0));
            let (mut second, mut wrong, mut opened) = (0, 0, 0);
            for (right, pause) in tries {
                second += pause;
                match invitation.clone().attempt(right, at(second)) {
                    Tried::Opened(next) => {
                        opened += 1;
                        prop_assert!(right && wrong < 5 && second < 600);
                        invitation = next;
                    }
                    Tried::Wrong(next) => {
                        prop_assert!(!right);
                        wrong += usize::from(opened == 0 && second < 600);
                        invitation = next;
                    }
                    Tried::Refused(_) => prop_assert!(right && (opened == 1 || wrong >= 5 || second >= 600)),
                }
            }
            prop_assert!(opened <= 1);
        }
    }

    #[test]
    fn it_is_fresh_for_two_minutes_after_its_use() {
        let unused = Invitation::issue(Role::Caller, Way::SpokenCode, at(0));
        assert!(!unused.is_fresh(at(1)));
        let Tried::Opened(used) = unused.attempt(true, at(590)) else { unreachable!("it is good") };
        assert!(used.is_fresh(at(709)) && !used.is_fresh(at(710)));
    }

    #[test]
    fn a_link_survives_wrong_codes_and_is_the_same_invitation() {
        let mut invitation = Invitation::issue(Role::Caller, Way::Sms, at(0));
        for _ in 0..TRIES {
            let Tried::Wrong(next) = invitation.attempt(false, at(1)) else { unreachable!("it is wrong") };
            invitation = next;
        }
        assert_eq!(invitation.clone().attempt(true, at(2)), Tried::Refused(Refused::Spent));
        assert_eq!(invitation.clone().follow(at(600)), Err(Refused::Expired));
        assert_eq!(invitation.clone().void(at(2)).follow(at(3)), Err(Refused::Expired));
        let used = invitation.follow(at(2)).unwrap();
        assert_eq!(used.clone().follow(at(3)), Err(Refused::Used));
        assert_eq!(used.attempt(true, at(3)), Tried::Refused(Refused::Used));
        let Tried::Opened(used) = Invitation::issue(Role::Caller, Way::Sms, at(0)).attempt(true, at(1)) else {
            unreachable!("it is good")
        };
        assert_eq!(used.follow(at(2)), Err(Refused::Used), "either spends both");
    }

    #[test]
    fn a_void_one_has_expired() {
        let void = Invitation::issue(Role::Caller, Way::SpokenCode, at(0)).void(at(1));
        assert_eq!(void.attempt(true, at(2)), Tried::Refused(Refused::Expired));
    }
}
