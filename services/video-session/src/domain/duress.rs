//! Duress: somebody stands beside the caller, who asks for help without saying so. The officer and the control room hear of it; the
//! caller's page shows nothing, and nothing of the call changes. It is never taken back, only seen.

use chrono::{DateTime, TimeDelta, Utc};
use ids::{OfficerId, ParticipantId};

use super::{Counted, Fact, How, Illegal, Pleas, Session};

/// Whoever asks again within so long after it was news is counted, and is no news: a frightened finger taps more than once.
pub const NO_NEWS_FOR: TimeDelta = TimeDelta::seconds(60);

/// Whether the caller has asked for help.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Duress {
    /// As it was news last.
    pub raised: Option<Raised>,
    /// How often, in all.
    pub count: u32,
    /// The newest that was heard of.
    pub counted: Counted,
    /// Whether what was raised was seen.
    pub seen: Option<Seen>,
}

/// They asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raised {
    /// How.
    pub how: How,
    /// When.
    pub at: DateTime<Utc>,
}

/// An officer has seen it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub by: OfficerId,
}

impl Raised {
    /// Is this news to whoever knows of that?
    #[must_use]
    pub fn is_news_after(self, known: Option<Self>) -> bool {
        known.is_none_or(|known| self.at - known.at >= NO_NEWS_FOR)
    }
}

impl Session {
    /// The caller asks for help, for the nth time in this way. Nothing but that changes.
    ///
    /// # Errors
    /// As [`Session::may_cover`].
    pub fn plead(mut self, who: ParticipantId, raised: Raised, n: u32) -> Result<(Self, Vec<Fact>), Illegal> {
        self.may_cover(who)?;
        if !self.duress.counted.count(raised.how, n) {
            return Ok((self, Vec::new()));
        }
        self.duress.count = self.duress.count.saturating_add(1);
        Ok(self.raise(raised))
    }

    /// An earlier process heard them ask, and may not have lived to have it written down. What is no news by now changes nothing. Should
    /// their page say it once more, it is counted once more: rather so than not at all.
    ///
    /// # Errors
    /// As [`Session::may_cover`], if it is news.
    pub fn recall_plea(mut self, who: ParticipantId, raised: Raised) -> Result<(Self, Vec<Fact>), Illegal> {
        if !raised.is_news_after(self.duress.raised) {
            return Ok((self, Vec::new()));
        }
        self.may_cover(who)?;
        self.duress.count = self.duress.count.saturating_add(1);
        Ok(self.raise(raised))
    }

    fn raise(mut self, raised: Raised) -> (Self, Vec<Fact>) {
        if !raised.is_news_after(self.duress.raised) {
            return (self, Vec::new());
        }
        (self.duress.raised, self.duress.seen) = (Some(raised), None);
        (self, vec![Fact::DuressRaised { raised }])
    }

    /// An officer has seen it. What was seen already stays as it was.
    ///
    /// # Errors
    /// When the session has ended, or nobody has asked.
    pub fn see(mut self, by: OfficerId, now: DateTime<Utc>) -> Result<(Self, Seen, Vec<Fact>), Illegal> {
        self.open_still()?;
        let raised = self.duress.raised.ok_or(Illegal::NothingAsked)?;
        if let Some(seen) = self.duress.seen.clone() {
            return Ok((self, seen, Vec::new()));
        }
        let seen = Seen { at: now, by };
        self.duress.seen = Some(seen.clone());
        let told = Fact::DuressSeen { raised, by: seen.by.clone() };
        Ok((self, seen, vec![told]))
    }

    /// What the media core has to know of it.
    #[must_use]
    pub fn pleas(&self) -> Pleas {
        Pleas { session: self.id, counted: self.duress.counted }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ids::{CallId, IncidentRef, SessionId};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::domain::{Accepted, EndReason, Role, Tap};

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    /// Nobody but the caller is there, and nothing is recorded.
    fn session() -> (Session, ParticipantId) {
        let accepted = Accepted {
            call: CallId::from(Uuid::from_u128(1)),
            force: "wmp".parse().unwrap(),
            officer: "o.one".parse().unwrap(),
            incident: IncidentRef::parse("2026-11-24", "1123").unwrap(),
            recording: false,
            stills: false,
            covered: false,
            silent: None,
        };
        let session = Session::open(SessionId::from(Uuid::from_u128(2)), accepted, at(0));
        let fresh = ParticipantId::from(Uuid::from_u128(3));
        let (session, caller, _) = session.arrive(Role::Caller, None, fresh, at(0)).unwrap();
        (session, caller)
    }

    #[test]
    fn what_an_earlier_process_heard_is_news_if_nobody_wrote_it_down() {
        let (session, caller) = session();
        let raised = |seconds| Raised { how: How::Word, at: at(seconds) };
        let told = |raised| vec![Fact::DuressRaised { raised }];
        let (recalled, facts) = session.clone().recall_plea(caller, raised(100)).unwrap();
        assert_eq!((facts, recalled.duress.count, recalled.duress.raised), (told(raised(100)), 1, Some(raised(100))));
        let written =
            session.plead(caller, raised(100), 1).unwrap().0.see("o.one".parse().unwrap(), at(101)).unwrap().0;
        for known in [0, 100, 159] {
            assert_eq!(written.clone().recall_plea(caller, raised(known)).unwrap(), (written.clone(), vec![]));
        }
        let (again, facts) = written.recall_plea(caller, raised(160)).unwrap();
        assert_eq!((facts, again.duress.count, &again.duress.seen), (told(raised(160)), 2, &None));
        // Nobody is told of an ended call's, unless it was told in time.
        let (ended, _) = again.end(EndReason::BothGone, at(200));
        assert_eq!(ended.clone().recall_plea(caller, raised(160)).unwrap(), (ended.clone(), vec![]));
        assert_eq!(ended.recall_plea(caller, raised(220)), Err(Illegal::SessionEnded));
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Plead(How, u32),
        See,
        Tap(Tap, u32),
    }

    fn step() -> impl Strategy<Value = Step> {
        let how = prop_oneof![Just(How::Word), Just(How::Corner)];
        let tap = prop_oneof![Just(Tap::Away), Just(Tap::Back)];
        prop_oneof![
            3 => (how, 1..9_u32).prop_map(|(how, n)| Step::Plead(how, n)),
            1 => Just(Step::See),
            1 => (tap, 1..9_u32).prop_map(|(tap, n)| Step::Tap(tap, n)),
        ]
    }

    proptest! {
        #[test]
        fn it_is_never_taken_back_is_told_when_it_is_news_and_touches_nothing_else(
            steps in prop::collection::vec((0..50_i64, step()), 0..40),
        ) {
            let (mut session, caller) = session();
            let mut now = 0;
            for (later, step) in steps {
                now += later;
                let before = session.clone();
                let known = before.duress.clone();
                match step {
                    Step::Plead(how, n) => {
                        let raised = Raised { how, at: at(now) };
                        let (after, facts) = session.plead(caller, raised, n).unwrap();
                        let newest = if how == How::Word { known.counted.word } else { known.counted.corner };
                        let is_new = n > newest;
                        let is_news = is_new && known.raised.is_none_or(|known| at(now) - known.at >= NO_NEWS_FOR);
                        prop_assert_eq!(after.duress.count, known.count + u32::from(is_new));
                        prop_assert_eq!(facts, Vec::from_iter(is_news.then_some(Fact::DuressRaised { raised })));
                        prop_assert_eq!(after.duress.seen.is_some(), known.seen.is_some() && !is_news);
                        prop_assert_eq!(&Session { duress: known.clone(), ..after.clone() }, &before);
                        // Said again, and whatever is older.
                        let (again, none) = after.clone().plead(caller, raised, n).unwrap();
                        prop_assert!(none.is_empty() && again == after);
                        session = after;
                    }
                    Step::See => match session.clone().see("o.one".parse().unwrap(), at(now)) {
                        Ok((after, seen, facts)) => {
                            prop_assert_eq!(facts.is_empty(), known.seen.is_some());
                            prop_assert_eq!(known.seen.clone().unwrap_or_else(|| seen.clone()), seen);
                            session = after;
                        }
                        Err(refused) => prop_assert_eq!((refused, known.raised), (Illegal::NothingAsked, None)),
                    },
                    Step::Tap(tap, n) => {
                        session = session.tap(caller, tap, n, at(now)).unwrap().0;
                        prop_assert_eq!(&session.duress, &known);
                    }
                }
                let since = |duress: &Duress| duress.raised.map(|raised| raised.at);
                prop_assert!(since(&session.duress) >= since(&known));
            }
        }
    }
}
