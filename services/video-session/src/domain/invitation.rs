//! One invitation: ten minutes, one use; a newer one for the same role voids it, and the officer may withdraw it. After five wrong tries
//! whoever has the right code may have guessed it: they are still let through the door, and wait behind it (`door.rs`).

use chrono::{DateTime, TimeDelta, Utc};

use super::Role;

/// How long a code is good for.
pub const CODE_LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// For so long after a code was used, whoever used it may ask for its answer again.
pub const ANSWERED_AGAIN: TimeDelta = TimeDelta::minutes(2);
/// Wrong proofs that an invitation bears before a right one is doubted.
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
    /// It was made void before that.
    pub void: Option<Void>,
}

/// An invitation is void.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Void {
    /// Since when.
    pub at: DateTime<Utc>,
    /// Why.
    pub why: VoidReason,
}

/// Why an invitation is void.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VoidReason {
    /// A newer one took its place.
    Replaced,
    /// The officer has withdrawn it.
    Revoked,
}

impl VoidReason {
    /// As the database spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Replaced => "replaced",
            Self::Revoked => "revoked",
        }
    }

    /// The reason spelt so, if there is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Replaced, Self::Revoked].into_iter().find(|why| why.as_str() == text)
    }
}

/// Why a right code does not let in. Nothing that anybody does by wrong ones is among these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It has let somebody in already.
    #[error("the code has been used")]
    Used,
    /// Its ten minutes are over.
    #[error("the code has expired")]
    Expired,
    /// A newer one took its place.
    #[error("a newer code took its place")]
    Replaced,
    /// The officer has withdrawn it.
    #[error("the code was withdrawn")]
    Revoked,
}

/// What a try made of the invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
    /// The code was right: whoever typed it is let in.
    Opened(Invitation),
    /// The code was right, and used by that; but it may have been guessed: whoever typed it waits.
    Doubted(Invitation),
    /// The code was wrong; the invitation bears it, and counts.
    Wrong(Invitation),
    /// The code was right, and of no use any more.
    Refused(Refused),
}

impl Invitation {
    /// A fresh one.
    #[must_use]
    pub fn issue(role: Role, way: Way, now: DateTime<Utc>) -> Self {
        Self { role, way, expires_at: now + CODE_LIFETIME, tries_left: TRIES, used_at: None, void: None }
    }

    /// Whether the right code, or its link, is of use.
    ///
    /// # Errors
    /// Why not.
    pub fn usable(&self, now: DateTime<Utc>) -> Result<(), Refused> {
        match self {
            Self { used_at: Some(_), .. } => Err(Refused::Used),
            Self { void: Some(Void { why: VoidReason::Replaced, .. }), .. } => Err(Refused::Replaced),
            Self { void: Some(Void { why: VoidReason::Revoked, .. }), .. } => Err(Refused::Revoked),
            Self { expires_at, .. } if now >= *expires_at => Err(Refused::Expired),
            _ => Ok(()),
        }
    }

    /// Was it used just now? The answer may not have got there.
    #[must_use]
    pub fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        self.used_at.is_some_and(|used| now - used < ANSWERED_AGAIN)
    }

    /// One try. Only somebody with the right code learns what became of it; a wrong one always looks the same. `is_beyond`: more wrong
    /// codes are tried, by whomever, than may be.
    #[must_use]
    pub fn attempt(mut self, right: bool, is_beyond: bool, now: DateTime<Utc>) -> Tried {
        match (right, self.usable(now)) {
            (true, Err(refused)) => Tried::Refused(refused),
            (true, Ok(())) => {
                self.used_at = Some(now);
                if is_beyond || self.tries_left == 0 { Tried::Doubted(self) } else { Tried::Opened(self) }
            }
            (false, usable) => {
                if usable.is_ok() {
                    self.tries_left = self.tries_left.saturating_sub(1);
                }
                Tried::Wrong(self)
            }
        }
    }

    /// Its link was followed. Wrong tries at its code say nothing about a link, which nobody guesses.
    ///
    /// # Errors
    /// Why that does not let in.
    pub fn follow(mut self, now: DateTime<Utc>) -> Result<Self, Refused> {
        self.usable(now)?;
        self.used_at = Some(now);
        Ok(self)
    }

    /// A newer one takes its place, or the officer withdraws it. The first of these counts.
    #[must_use]
    pub fn void(mut self, why: VoidReason, now: DateTime<Utc>) -> Self {
        self.void.get_or_insert(Void { at: now, why });
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

    fn fresh(way: Way) -> Invitation {
        Invitation::issue(Role::Caller, way, at(0))
    }

    proptest! {
        /// However tries fall: at most one opens, never in doubt after five wrong ones, and never from the tenth minute on. And the right
        /// code, within its time, unused and not withdrawn, always opens or leads to where one waits.
        #[test]
        fn a_right_code_is_good_once_whatever_wrong_ones_came_before(
            tries in prop::collection::vec((any::<bool>(), any::<bool>(), 0_i64..200), 0..20),
            voided in prop::option::of((0_usize..20, any::<bool>())),
        ) {
            let mut invitation = fresh(Way::SpokenCode);
            let (mut second, mut wrong, mut used) = (0, 0, false);
            for (number, (right, is_beyond, pause)) in tries.into_iter().enumerate() {
                second += pause;
                if let Some((_, revoked)) = voided.filter(|(at, _)| *at == number) {
                    invitation = invitation.void(if revoked { VoidReason::Revoked } else { VoidReason::Replaced }, at(second));
                }
                let is_good = second < 600 && !used && invitation.void.is_none();
                match invitation.clone().attempt(right, is_beyond, at(second)) {
                    Tried::Opened(next) => {
                        prop_assert!(right && is_good && wrong < 5 && !is_beyond);
                        (invitation, used) = (next, true);
                    }
                    Tried::Doubted(next) => {
                        prop_assert!(right && is_good && (wrong >= 5 || is_beyond));
                        (invitation, used) = (next, true);
                    }
                    Tried::Wrong(next) => {
                        prop_assert!(!right);
                        wrong += usize::from(is_good);
                        invitation = next;
                    }
                    Tried::Refused(why) => {
                        prop_assert!(right && !is_good);
                        let revoked = voided.is_some_and(|(_, revoked)| revoked);
                        let said = match invitation.void {
                            _ if used => Refused::Used,
                            Some(_) if revoked => Refused::Revoked,
                            Some(_) => Refused::Replaced,
                            None => Refused::Expired,
                        };
                        prop_assert_eq!(why, said);
                    }
                }
            }
        }
    }

    #[test]
    fn it_is_fresh_for_two_minutes_after_its_use() {
        let unused = fresh(Way::SpokenCode);
        assert!(!unused.is_fresh(at(1)));
        let Tried::Opened(used) = unused.attempt(true, false, at(590)) else { unreachable!("it is good") };
        assert!(used.is_fresh(at(709)) && !used.is_fresh(at(710)));
    }

    #[test]
    fn a_link_is_doubted_for_no_wrong_code_and_is_the_same_invitation() {
        let mut invitation = fresh(Way::Sms);
        for _ in 0..=TRIES {
            let Tried::Wrong(next) = invitation.attempt(false, true, at(1)) else { unreachable!("it is wrong") };
            invitation = next;
        }
        assert!(matches!(invitation.clone().attempt(true, false, at(2)), Tried::Doubted(_)));
        assert_eq!(invitation.clone().follow(at(600)), Err(Refused::Expired));
        assert_eq!(invitation.clone().void(VoidReason::Replaced, at(2)).follow(at(3)), Err(Refused::Replaced));
        let used = invitation.follow(at(2)).unwrap();
        assert_eq!(used.clone().follow(at(3)), Err(Refused::Used));
        assert_eq!(used.attempt(true, false, at(3)), Tried::Refused(Refused::Used));
        let Tried::Opened(used) = fresh(Way::Sms).attempt(true, false, at(1)) else { unreachable!("it is good") };
        assert_eq!(used.follow(at(2)), Err(Refused::Used), "either spends both");
    }

    #[test]
    fn the_first_reason_counts() {
        let void = fresh(Way::SpokenCode).void(VoidReason::Revoked, at(1)).void(VoidReason::Replaced, at(2));
        assert_eq!(void.void, Some(Void { at: at(1), why: VoidReason::Revoked }));
        assert_eq!(void.attempt(true, false, at(700)), Tried::Refused(Refused::Revoked), "and before its age");
    }
}
