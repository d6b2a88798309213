//! Fast-track: the officer asks the control room to send somebody now. `Raised{again_at} -> Acknowledged`. Raised again for
//! as long as nobody takes it on, and nothing else stops it: a call that breaks off is the last reason to send nobody.
//! Whatever comes late or twice changes nothing.

use chrono::{DateTime, TimeDelta, Utc};
use ids::{FastTrackId, OfficerId};
use serde::{Deserialize, Serialize};

use super::{Call, Effects, Event, Risk, Update};

/// One time that an officer asks for somebody to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FastTrack {
    /// What was asked.
    pub wish: Wish,
    /// How often it was raised.
    pub times: u32,
    /// Where it stands.
    pub stand: Stand,
}

/// What the officer asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// The session's id of it.
    pub id: FastTrackId,
    /// Who pressed.
    pub officer: OfficerId,
    /// When.
    pub requested_at: DateTime<Utc>,
    /// How grave it is, as they see it.
    pub risk: Risk,
    /// A word of the session's list.
    pub reason: String,
    /// Their last still, by its name in the exhibit.
    pub still: Option<String>,
}

/// Where a fast-track stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stand", rename_all = "snake_case")]
pub enum Stand {
    /// Nobody has taken it on.
    Raised {
        /// When it is raised again.
        again_at: DateTime<Utc>,
    },
    /// Somebody has.
    Acknowledged(Taken),
}

/// That it was taken on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// By whom in the control room.
    pub by: String,
    /// Whom they send, if that is known.
    pub unit: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// A fast-track as the control room is told of it. Where the caller is, is no part of it: that is looked at, and each look
/// is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FastTrackNews {
    /// What was asked.
    pub wish: Wish,
    /// How often it was raised.
    pub times: u32,
    /// Where it stands.
    pub stand: Stand,
    /// Where the caller is can be looked at.
    pub located: bool,
}

impl FastTrack {
    /// The officer has pressed.
    #[must_use]
    pub fn raise(wish: Wish, now: DateTime<Utc>, again_after: TimeDelta) -> Self {
        Self { wish, times: 1, stand: Stand::Raised { again_at: now + again_after } }
    }

    /// Nobody has taken it on in time: raised again. `None` if somebody has, or its time isn't up. After an outage it is
    /// raised once, however long that was.
    #[must_use]
    pub fn again(mut self, now: DateTime<Utc>, again_after: TimeDelta) -> Option<Self> {
        match self.stand {
            Stand::Raised { again_at } if again_at <= now => {}
            Stand::Raised { .. } | Stand::Acknowledged(_) => return None,
        }
        self.times = self.times.saturating_add(1);
        self.stand = Stand::Raised { again_at: now + again_after };
        Some(self)
    }

    /// Somebody takes it on: who has it, and the fast-track if that is news. Who was first stays.
    #[must_use]
    pub fn acknowledge(mut self, taken: Taken) -> (Taken, Option<Self>) {
        match self.stand {
            Stand::Acknowledged(first) => (first, None),
            Stand::Raised { .. } => {
                self.stand = Stand::Acknowledged(taken.clone());
                (taken, Some(self))
            }
        }
    }

    /// As it is told.
    #[must_use]
    pub fn news(&self, located: bool) -> FastTrackNews {
        FastTrackNews { wish: self.wish.clone(), times: self.times, stand: self.stand.clone(), located }
    }

    /// What the other services hear of its last change.
    fn event(&self) -> Option<Event> {
        let (id, times, officer) = (self.wish.id, self.times, self.wish.officer.clone());
        match &self.stand {
            Stand::Raised { .. } if times > 1 => Some(Event::FastTrackEscalated { id, times, officer }),
            Stand::Acknowledged(taken) => Some(Event::FastTrackAcknowledged { id, times, taken: taken.clone() }),
            Stand::Raised { .. } => None,
        }
    }
}

impl Call {
    /// Tells of a fast-track that has changed.
    #[must_use]
    pub fn tell_of(mut self, fast_track: &FastTrack, located: bool, now: DateTime<Utc>) -> (Self, Effects) {
        let tell = self.tell(now, [Update::FastTrack(fast_track.news(located))]);
        (self, Effects { publish: fast_track.event().into_iter().collect(), tell })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const AFTER: TimeDelta = TimeDelta::seconds(60);

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn raised() -> FastTrack {
        let wish = Wish {
            id: uuid::Uuid::from_u128(9).into(),
            officer: "PC1".parse().unwrap(),
            requested_at: at(0),
            risk: Risk::High,
            reason: "DANGER".into(),
            still: None,
        };
        FastTrack::raise(wish, at(0), AFTER)
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Again,
        Acknowledge(u8),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![6 => Just(Step::Again), 1 => (0..3_u8).prop_map(Step::Acknowledge)]
    }

    proptest! {
        /// Whatever comes, in whatever order, late and twice.
        #[test]
        fn it_is_raised_until_one_takes_it_on_and_never_after(
            script in prop::collection::vec((0..90_i64, step()), 0..60),
        ) {
            let (mut fast_track, mut now, mut last) = (raised(), 0, 0);
            let mut first: Option<Taken> = None;
            for (later, step) in script {
                now += later;
                let before = fast_track.clone();
                let is_open = matches!(before.stand, Stand::Raised { .. });
                match step {
                    Step::Again => {
                        let again = fast_track.clone().again(at(now), AFTER);
                        // Not a second early, not once too often, and never when somebody has it.
                        prop_assert_eq!(again.is_some(), is_open && now - last >= 60);
                        if let Some(again) = again {
                            last = now;
                            prop_assert_eq!(again.times, before.times + 1);
                            prop_assert_eq!(again.clone().again(at(now), AFTER), None, "another replica, at once");
                            let is_escalation = matches!(again.event(), Some(Event::FastTrackEscalated { .. }));
                            prop_assert!(is_escalation);
                            fast_track = again;
                        }
                    }
                    Step::Acknowledge(who) => {
                        let taken = Taken { by: format!("CH{who}"), unit: None, at: at(now) };
                        let (has_it, news) = fast_track.clone().acknowledge(taken.clone());
                        prop_assert_eq!(news.is_some(), is_open);
                        prop_assert_eq!(&has_it, first.get_or_insert(taken), "who was first stays");
                        fast_track = news.unwrap_or(fast_track);
                    }
                }
                prop_assert!(is_open || fast_track == before, "what is over stays as it was");
                prop_assert_eq!(&fast_track.wish, &before.wish);
                let kept = serde_json::to_value(fast_track.news(true)).unwrap();
                prop_assert_eq!(serde_json::from_value::<FastTrackNews>(kept).unwrap(), fast_track.news(true));
            }
        }
    }
}
